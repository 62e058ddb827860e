"""The door to the image service."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import IO

from oslo_config import cfg

from nova_lite import exception
from nova_lite.context import RequestContext
from nova_lite.image import download, meta, upload
from nova_lite.image.glance import Glance
from nova_lite.objects.image import ImageMeta

PAGE = 500
# What Glance says of an image that is on its way out.
_GOING = ("deleted", "pending_delete")


class API:
    """Images as the caller may see them: with the context's token where it has one, else as nova-lite itself.

    Errors of all methods: ImageNotFound, Unauthorized, Forbidden, Invalid, Conflict, ImageUnacceptable, Unavailable.
    """

    def __init__(self, conf: cfg.ConfigOpts = cfg.CONF) -> None:
        self._glance = Glance(conf)
        self._size_max = conf.glance.image_size_max

    def get(self, ctxt: RequestContext | None, image_id: str) -> ImageMeta:
        """One image, with its custom properties apart."""
        return self._glance.get(ctxt, image_id)

    def list(self, ctxt: RequestContext | None, **filters: str) -> list[ImageMeta]:
        """All images that pass the filters of Glance's API, such as ``visibility="public"``."""
        found: list[ImageMeta] = []
        marker = None
        while True:
            rows = self._glance.list(ctxt, filters, PAGE, marker)
            found += [meta.from_json(row) for row in rows]
            if len(rows) < PAGE or found[-1].id == marker:
                return found
            marker = found[-1].id

    def create(
        self, ctxt: RequestContext | None, image_id: str, name: str, properties: Mapping[str, str],
        min_disk: int = 0, min_ram: int = 0,
    ) -> ImageMeta:  # fmt: skip
        """A new private image without data (queued), of the caller's project. Said again it is the one that was made.

        :param min_disk: GiB; :param min_ram: MiB.
        """
        body = {**properties, "name": name, "visibility": "private", "min_disk": min_disk, "min_ram": min_ram}
        return self._glance.create(ctxt, image_id, body)

    def upload(self, ctxt: RequestContext | None, image_id: str, file: IO[bytes], disk_format: str) -> ImageMeta:
        """All of an open file becomes the data of a queued image; one that has data already is left as it is.

        :raises ImageUnacceptable: it takes no data any more.
        """
        return upload.Upload(self._glance, image_id, file, disk_format).run(ctxt)

    def update(self, ctxt: RequestContext | None, image_id: str, properties: Mapping[str, str]) -> None:
        """Set some custom properties; the others stay."""
        self._glance.patch(ctxt, image_id, dict(properties))

    def delete(self, ctxt: RequestContext | None, image_id: str) -> bool:
        """Remove an image; False where there was none.

        Glance refuses for ever to delete an image whose deletion broke off in its database: that one is gone, too.
        """
        try:
            self._glance.delete(ctxt, image_id)
        except exception.ImageNotFound:
            return False
        except exception.Invalid:
            if self.get(ctxt, image_id).status not in _GOING:
                raise
        return True

    def url(self, ctxt: RequestContext | None, image_id: str) -> str:
        """The image's address, as a Location header shows it."""
        return self._glance.url(ctxt, image_id)

    def download(
        self, ctxt: RequestContext | None, image_id: str, target: str | os.PathLike[str] | IO[bytes]
    ) -> ImageMeta:
        """The image's bytes, proven by its hash, into an open file or a new private one.

        :raises ImageUnacceptable: also when the image is not active; an open file then has a part of it.
        """
        image = self.get(ctxt, image_id)
        if image.status != "active":
            raise exception.ImageUnacceptable(image_id=image_id, reason=f"its status is {image.status}")
        if image.size is not None and image.size > self._size_max:
            raise exception.ImageUnacceptable(image_id=image_id, reason=f"it has more than {self._size_max} bytes")
        if isinstance(target, (str, os.PathLike)):
            download.to_path(self._glance, ctxt, image, os.fspath(target), self._size_max)
        else:
            download.Download(self._glance, image, target, self._size_max).run(ctxt)
        return image
