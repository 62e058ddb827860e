"""/v2/images/{id}/file: the bytes, in and out."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from typing import IO

import webob
from oslo_log import log as logging

from nova_lite import concurrency, exception
from nova_lite.embedded.image import records, rules, upload
from nova_lite.embedded.image.images_api import changeable, visible
from nova_lite.embedded.image.records import Image
from nova_lite.embedded.image.store import ImageStore
from nova_lite.embedded.wsgi import Route, empty_response

LOG = logging.getLogger(__name__)

_RANGE = re.compile(r"bytes=(\d{1,19})-(\d{0,19})", re.ASCII)


class RangeNotSatisfiable(exception.NovaLiteError):
    status = 416
    sentence = "The requested range lies outside of the image."


class DataApi:
    """:param size_max: bytes of the largest upload. :param must_match: refuse content of another format."""

    def __init__(self, store: ImageStore, size_max: int, must_match: bool) -> None:
        self._store = store
        self._size_max = size_max
        self._must_match = must_match

    def routes(self) -> list[Route]:
        path = "/v2/images/{image_id}/file"
        return [Route("PUT", path, self.upload), Route("GET", path, self.download)]

    def upload(self, req: webob.Request, image_id: str) -> webob.Response:
        image = changeable(self._store, rules.caller(req), image_id)
        if req.content_type != "application/octet-stream":
            raise exception.UnsupportedMedia("The data of an image is sent as application/octet-stream")
        disk_format = image.disk_format
        if disk_format is None or image.container_format is None:
            raise exception.Invalid("Properties disk_format, container_format must be set prior to saving data.")
        self._store.update(image_id, _saving)
        try:
            part = self._store.new_part(image_id)
            received = upload.receive(req, part, disk_format, self._size_max, self._must_match)
            self._store.settle(part, image_id, lambda newest: _active(newest, received))
        except exception.ImageNotFound:
            raise exception.Gone(
                f"Image {image_id} could not be found after upload. It may have been deleted."
            ) from None
        except BaseException as error:
            self._requeue(image_id)
            if isinstance(error, OSError):
                LOG.error("The upload of image %s failed: %s", image_id, error)
                raise exception.Unavailable("The image could not be stored.") from error
            raise
        return empty_response()

    def _requeue(self, image_id: str) -> None:
        try:
            self._store.update(image_id, lambda newest: newest.changed(status=records.QUEUED))
        except exception.ImageNotFound:
            LOG.info("Image %s was deleted during its upload", image_id)

    def download(self, req: webob.Request, image_id: str) -> webob.Response:
        caller = rules.caller(req)
        image = visible(self._store, caller, image_id)
        if image.status == records.DEACTIVATED and not caller.is_admin:
            raise exception.Forbidden("The requested image has been deactivated. Image data download is forbidden.")
        if not image.has_data:
            return empty_response()
        try:
            file = open(self._store.data_path(image_id), "rb")  # noqa: SIM115  closed by the server, after the last byte
        except FileNotFoundError:
            raise exception.ImageNotFound(image_id=image_id) from None
        try:
            return _answer(req, image, file)
        except BaseException:
            file.close()
            raise


def _saving(image: Image) -> Image:
    if image.status != records.QUEUED:
        raise exception.Conflict(f"Image status transition from {image.status} to saving is not allowed")
    return image.changed(status=records.SAVING)


def _active(image: Image, received: upload.Received) -> Image:
    return image.changed(
        status=records.ACTIVE,
        size=received.size,
        virtual_size=received.virtual_size,
        checksum=received.checksum,
        os_hash_algo="sha512",
        os_hash_value=received.os_hash_value,
    )


def _answer(req: webob.Request, image: Image, file: IO[bytes]) -> webob.Response:
    size = os.fstat(file.fileno()).st_size
    wanted = _wanted_range(req.headers.get("Range"), size)
    start, end = wanted or (0, size)
    response = webob.Response(status=206 if wanted else 200, content_type="application/octet-stream")
    response.app_iter = _Reader(file, start, end)
    response.content_length = end - start
    response.headers["Accept-Ranges"] = "bytes"
    if wanted:
        response.headers["Content-Range"] = f"bytes {start}-{end - 1}/{size}"
    elif image.checksum:
        response.headers["Content-MD5"] = image.checksum
    return response


def _wanted_range(text: str | None, size: int) -> tuple[int, int] | None:
    """First byte and the byte after the last; None is everything.

    :raises RangeNotSatisfiable: it begins behind the end.
    """
    match = _RANGE.fullmatch(text or "")
    if match is None:
        return None
    start, end = int(match[1]), int(match[2]) + 1 if match[2] else size
    if start >= size or end <= start:
        raise RangeNotSatisfiable()
    return start, min(end, size)


class _Reader:
    """The bytes from ``start`` to before ``end``; lets others run between chunks."""

    def __init__(self, file: IO[bytes], start: int, end: int) -> None:
        self._file = file
        self._left = end - start
        file.seek(start)

    def __iter__(self) -> Iterator[bytes]:
        while self._left > 0 and (chunk := self._file.read(min(upload.CHUNK, self._left))):
            self._left -= len(chunk)
            yield chunk
            concurrency.sleep(0)

    def close(self) -> None:
        self._file.close()
