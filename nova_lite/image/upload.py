"""A file into a queued image: tried again where the connection broke, and safe to say again after a crash."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import IO

from nova_lite import concurrency, exception
from nova_lite.context import RequestContext
from nova_lite.image.glance import Glance, data_path
from nova_lite.objects.image import ImageMeta

CHUNK = 1 << 20


class Body:
    """The file's bytes as requests sends them: with their number in front, letting others run in between."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._size = file.seek(0, os.SEEK_END)
        file.seek(0)

    def __len__(self) -> int:
        return self._size

    def __iter__(self) -> Iterator[bytes]:
        while chunk := self.read():
            yield chunk

    def read(self, size: int = -1) -> bytes:
        concurrency.sleep(0)
        return self._file.read(CHUNK if size < 0 else min(size, CHUNK))


class Upload:
    """One upload of one open file, into an image that has no data yet."""

    def __init__(self, glance: Glance, image_id: str, file: IO[bytes], disk_format: str) -> None:
        self._glance = glance
        self._id = image_id
        self._file = file
        self._format = disk_format

    def run(self, ctxt: RequestContext | None) -> ImageMeta:
        """The image, with its data: of this upload, or of one before that nobody heard the end of.

        :raises ImageNotFound: somebody removed it; :raises ImageUnacceptable: it takes no data.
        :raises Unavailable: it kept breaking off.
        """
        image: ImageMeta = self._glance.retrying(lambda: self._attempt(ctxt))
        return image

    def _attempt(self, ctxt: RequestContext | None) -> ImageMeta:
        image = self._glance.look(ctxt, self._id)
        if image.status == "active":
            return image
        if image.status in ("saving", "importing"):
            # An upload that broke off is being cleared away; or it goes on, and then it is the same image.
            raise exception.Unavailable(f"Image {self._id} is still being uploaded.")
        if image.status != "queued":
            raise exception.ImageUnacceptable(image_id=self._id, reason=f"its status is {image.status}")
        if (image.disk_format, image.container_format) != (self._format, "bare"):
            self._glance.patch(ctxt, self._id, {"disk_format": self._format, "container_format": "bare"})
        try:
            self._send(ctxt)
        except exception.Conflict:
            raise exception.Unavailable(f"Image {self._id} changed while it was to be uploaded.") from None
        return self._glance.look(ctxt, self._id)

    def _send(self, ctxt: RequestContext | None) -> None:
        # Not sent again after a login that expired: half of the file would be gone by then. The next attempt does it.
        self._glance.once(
            ctxt, "put", data_path(self._id), self._id, wants_data=False, data=Body(self._file), log=False,
            allow_reauth=False, headers={"Content-Type": "application/octet-stream"},
        )  # fmt: skip
