"""Base images: fetched once, proven harmless, kept under ``<instances>/_base`` for guests' overlays to read through.

A base is named by a hash of the image's id, checksum and format: an image that changes is another base. Whoever needs
one takes its lock file first, so that two builds of one image, in whatever processes, fetch it once; a kill leaves at
most a ``.part`` file, which the next holder of the lock removes.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import logging
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from nova_lite import concurrency, exception
from nova_lite.objects import ImageMeta
from nova_lite.virt import images
from nova_lite.virt.libvirt.options import GIB, Options

LOG = logging.getLogger(__name__)

LOCK_POLL_S = 0.1
CHUNK = 1024 * 1024
BASES = ("raw", "qcow2", "kernel")
LITTER = ("part", "part2")
HASHES = ("sha512", "sha384", "sha256")


class ImageDoor(Protocol):
    """What this room asks of the image service's door."""

    def get(self, ctxt: Any, image_id: str) -> ImageMeta: ...

    def download(self, ctxt: Any, image_id: str, path: str) -> Any: ...


@dataclass(frozen=True)
class Base:
    """A cached image; ``virtual_size`` in bytes."""

    path: str
    format: str
    virtual_size: int


class ImageCache:
    """:param readable_by_others: QEMU runs as a user who is not ours."""

    def __init__(self, options: Options, image_api: ImageDoor, readable_by_others: bool = False) -> None:
        self._options = options
        self._image_api = image_api
        self._directory = os.path.join(options.instances_path, "_base")
        self._mode = 0o644 if readable_by_others else 0o600
        self._directory_mode = 0o711 if readable_by_others else 0o700
        self._limits = images.Limits(options.qemu_img_memory_mb, options.qemu_img_timeout_s)

    def fetch(self, ctxt: Any, image: ImageMeta, limit_bytes: int) -> Base:
        """The base of an image, from the cache or the image service.

        :param limit_bytes: the largest virtual size the flavor allows; 0 leaves it to the host's own limit.
        :raises ImageUnacceptable: it must not be used.
        """
        limit = limit_bytes or self._options.max_virtual_size_gb * GIB
        _refuse_above(image, image.virtual_size or 0, limit)
        key = cache_key(image, self._options.base_format)
        with self._locked(key):
            try:
                base = self._cached(key) or self._make(ctxt, image, key, limit)
            except exception.ImageUnacceptable as error:
                LOG.warning("%s (%s)", error, error.__cause__ or "no more is known")
                raise
            os.utime(base.path)
        _refuse_above(image, base.virtual_size, limit)
        return base

    def fetch_kernel(self, ctxt: Any, image_id: str) -> str:
        """The path of a kernel or ramdisk; it is data to QEMU, which reads no format in it."""
        image = self._image_api.get(ctxt, image_id)
        if image.disk_format not in images.KERNEL_FORMATS:
            raise exception.ImageUnacceptable(image_id=image_id, reason="it is not a kernel or ramdisk")
        key = cache_key(image, "kernel")
        with self._locked(key):
            path = self._path(key, "kernel")
            if not os.path.exists(path):
                self._settle(self._download(ctxt, image, key), path)
            os.utime(path)
        return path

    def collect(self, in_use: frozenset[str]) -> list[str]:
        """Remove bases that no guest uses and nobody asked for lately; the paths removed."""
        removed: list[str] = []
        horizon = time.time() - self._options.base_unused_hours * 3600
        for name in sorted(os.listdir(self._directory)) if os.path.isdir(self._directory) else ():
            path = os.path.join(self._directory, name)
            key, _, kind = name.partition(".")
            if kind in (*BASES, *LITTER) and path not in in_use and _mtime(path) < horizon:
                with self._locked(key):  # which removes the litter
                    if kind in BASES and _mtime(path) < horizon:
                        for gone in (self._path(key, "json"), path):
                            _unlink(gone)
                        removed.append(path)
                        LOG.info("removed the unused base image %s", path)
        return removed

    # -- one image ------------------------------------------------------------------------------------

    def _cached(self, key: str) -> Base | None:
        try:
            with open(self._path(key, "json"), encoding="utf-8") as source:
                facts = json.load(source)
            base = Base(self._path(key, facts["format"]), facts["format"], int(facts["virtual_size"]))
        except (FileNotFoundError, ValueError, KeyError):
            return None
        return base if os.path.exists(base.path) else None

    def _make(self, ctxt: Any, image: ImageMeta, key: str, limit: int) -> Base:
        started = time.monotonic()
        part = self._download(ctxt, image, key)
        found = concurrency.run_blocking(images.prove, part, image, limit)
        concurrency.run_blocking(images.second_opinion, part, image, found, self._limits)
        fmt = "raw" if self._options.base_format == "raw" else found.format
        if fmt != found.format:
            part = self._convert(image, key, part, found)
        base = Base(self._path(key, fmt), fmt, found.virtual_size)
        self._settle(part, base.path)
        self._note(key, base)
        LOG.info("image %s cached as %s after %.1f s", image.id, base.path, time.monotonic() - started)
        return base

    def _convert(self, image: ImageMeta, key: str, part: str, found: images.Found) -> str:
        target = self._path(key, "part2")
        try:
            argv = images.convert_argv(part, found.format, target, "raw")
            concurrency.run_blocking(images.run, argv, self._limits)
        except images.QemuImgError as error:
            _unlink(target)
            if error.facts["hostile"]:
                raise exception.ImageUnacceptable(image_id=image.id, reason="it cannot be unpacked") from error
            raise
        finally:
            _unlink(part)
        return target

    def _download(self, ctxt: Any, image: ImageMeta, key: str) -> str:
        """The image's bytes in a file of ours, checked against its checksum."""
        part = self._path(key, "part")
        os.close(os.open(part, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600))
        try:
            self._image_api.download(ctxt, image.id, part)
            if _digest_of(image) is None:
                LOG.warning("image %s has no checksum to verify", image.id)
            concurrency.run_blocking(verify, part, image)
        except BaseException:
            _unlink(part)
            raise
        return part

    def _settle(self, part: str, path: str) -> None:
        """The finished file takes its name only when its bytes are on disk."""
        os.chmod(part, self._mode)
        concurrency.run_blocking(_fsync, part)
        os.rename(part, path)

    def _note(self, key: str, base: Base) -> None:
        temporary = self._path(key, "part")
        with open(temporary, "w", encoding="utf-8") as target:
            json.dump({"format": base.format, "virtual_size": base.virtual_size}, target)
        self._settle(temporary, self._path(key, "json"))

    def _path(self, key: str, kind: str) -> str:
        return os.path.join(self._directory, f"{key}.{kind}")

    @contextlib.contextmanager
    def _locked(self, key: str) -> Iterator[None]:
        """Hold the key's lock file; waits for other threads and processes alike, asking again every so often."""
        os.makedirs(self._directory, mode=0o700, exist_ok=True)
        os.chmod(self._directory, self._directory_mode)
        path = self._path(key, "lock")
        while (descriptor := _try_lock(path)) is None:
            concurrency.sleep(LOCK_POLL_S)
        try:
            self._sweep(key)
            yield
        finally:
            self._sweep(key)
            _unlink(path)
            os.close(descriptor)

    def _sweep(self, key: str) -> None:
        """Remove what an attempt leaves behind; only who holds the lock may."""
        for litter in LITTER:
            _unlink(self._path(key, litter))


def cache_key(image: ImageMeta, kind: str) -> str:
    """A file name for the image as it is now."""
    facts = (image.id, image.os_hash_value or image.checksum or "", image.disk_format or "", kind)
    return hashlib.sha256("\0".join(facts).encode()).hexdigest()[:40]


def verify(path: str, image: ImageMeta) -> None:
    """Compare the file with the size and checksum that the image service gave; blocks.

    :raises ImageUnacceptable: they differ.
    """
    if image.size is not None and os.path.getsize(path) != image.size:
        raise exception.ImageUnacceptable(image_id=image.id, reason="its data is not of its size")
    wanted = _digest_of(image)
    if wanted is None:
        return
    digest, expected = wanted
    with open(path, "rb") as source:
        while chunk := source.read(CHUNK):
            digest.update(chunk)
    if digest.hexdigest() != expected.lower():
        raise exception.ImageUnacceptable(image_id=image.id, reason="its data does not match its checksum")


def _digest_of(image: ImageMeta) -> tuple[Any, str] | None:
    """How the image is verified and what must come out; None where the image service gave nothing for it."""
    if image.os_hash_algo in HASHES and image.os_hash_value:
        return hashlib.new(image.os_hash_algo), image.os_hash_value
    if image.checksum:
        return hashlib.md5(usedforsecurity=False), image.checksum
    return None


def _refuse_above(image: ImageMeta, size: int, limit: int) -> None:
    if size > limit:
        raise exception.ImageUnacceptable(
            image_id=image.id,
            reason=f"its virtual size of {size / GIB:.2f} GiB is above the limit of {limit / GIB:.2f} GiB",
        )


def _try_lock(path: str) -> int | None:
    """An open descriptor that holds the lock, or None. A lock file replaced meanwhile is nobody's."""
    descriptor = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.stat(path).st_ino == os.fstat(descriptor).st_ino:
            return descriptor
    except (BlockingIOError, FileNotFoundError):
        pass
    os.close(descriptor)
    return None


def _fsync(path: str) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _mtime(path: str) -> float:
    try:
        return os.stat(path).st_mtime
    except FileNotFoundError:
        return time.time()


def _unlink(path: str) -> None:
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)
