"""An image's bytes to a file: resumed where the connection broke, bounded, and proven by the image's own hash."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import os
import re
from typing import IO, Any

import requests
import urllib3

from nova_lite import concurrency, exception
from nova_lite.context import RequestContext
from nova_lite.image.glance import Glance
from nova_lite.objects.image import ImageMeta

CHUNK = 1 << 20
_RANGE = re.compile(r"bytes (\d+)-")
_BROKEN = (requests.RequestException, urllib3.exceptions.HTTPError, OSError)


class Download:
    """One download into one open file.

    :param limit: bytes it may have, whatever the image service says.
    """

    def __init__(self, glance: Glance, image: ImageMeta, file: IO[bytes], limit: int) -> None:
        self._glance = glance
        self._image = image
        self._file = file
        self._limit = min(limit, image.size) if image.size is not None else limit
        self._origin = file.tell() if file.seekable() else 0
        self._restart()

    def _restart(self) -> None:
        self._done = 0
        self._hash, self._expected = _hash_of(self._image)

    def run(self, ctxt: RequestContext | None) -> None:
        """Fetch all of it.

        :raises ImageUnacceptable: too many bytes, or not those that the image's hash promises.
        :raises Unavailable: it kept breaking off.
        """
        self._glance.retrying(lambda: self._attempt(ctxt))
        if self._image.size is not None and self._done != self._image.size:
            raise self._unacceptable(f"it has {self._done} bytes instead of {self._image.size}")
        if self._hash is not None and not hmac.compare_digest(self._hash.hexdigest(), self._expected):
            raise self._unacceptable(f"its {self._hash.name} is not the one that the image service tells")

    def _attempt(self, ctxt: RequestContext | None) -> None:
        if self._done and self._done == self._image.size:
            return
        response = self._glance.open_data(ctxt, self._image.id, self._done)
        with contextlib.closing(response):
            self._align(response)
            chunks = response.iter_content(CHUNK)
            while chunk := self._next(chunks):
                self._take(chunk)
                concurrency.sleep(0)
        # With a Content-Length a connection that broke off was an error above; without, only the size tells.
        if "Content-Length" not in response.headers and self._done < (self._image.size or 0):
            raise exception.Unavailable(f"The image service broke off after {self._done} bytes.")

    def _next(self, chunks: Any) -> bytes:
        try:
            chunk: bytes = next(chunks, b"")
        except _BROKEN:
            raise exception.Unavailable(f"The image service broke off after {self._done} bytes.") from None
        return chunk

    def _align(self, response: requests.Response) -> None:
        """Make the file end where the answer begins."""
        match = _RANGE.match(response.headers.get("Content-Range", ""))
        start = int(match.group(1)) if response.status_code == 206 and match else 0
        if start == self._done:
            return
        if not self._file.seekable():
            raise self._unacceptable("the download broke off and the image service cannot resume it")
        self._file.seek(self._origin)
        self._file.truncate()
        self._restart()
        if start:
            raise exception.Unavailable("The image service sent another range than asked for.")

    def _take(self, chunk: bytes) -> None:
        if self._done + len(chunk) > self._limit:
            raise self._unacceptable(f"it has more than {self._limit} bytes")
        self._file.write(chunk)
        if self._hash is not None:
            self._hash.update(chunk)
        self._done += len(chunk)

    def _unacceptable(self, reason: str) -> exception.ImageUnacceptable:
        return exception.ImageUnacceptable(image_id=self._image.id, reason=reason)


def _hash_of(image: ImageMeta) -> tuple[Any, str]:
    """A fresh hash object and the digest it must give; the multihash where it is there, else the MD5 checksum."""
    if image.os_hash_algo in ("sha256", "sha384", "sha512", "sha3_256", "sha3_512", "blake2b") and image.os_hash_value:
        return hashlib.new(image.os_hash_algo), image.os_hash_value.lower()
    if image.checksum:
        return hashlib.md5(usedforsecurity=False), image.checksum.lower()
    return None, ""


def to_path(glance: Glance, ctxt: RequestContext | None, image: ImageMeta, path: str, limit: int) -> None:
    """Download into a new private file; nothing is left of it when that fails."""
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        with open(fd, "r+b") as file:
            Download(glance, image, file, limit).run(ctxt)
            file.flush()
            concurrency.run_blocking(os.fsync, file.fileno())
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)
        raise
