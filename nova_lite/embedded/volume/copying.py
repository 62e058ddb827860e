"""Filling a volume or a snapshot: from an image, from another's file, or with nothing; always beside, then in place."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any, Protocol

from oslo_utils.imageutils import format_inspector

from nova_lite import concurrency, exception
from nova_lite.embedded import files
from nova_lite.embedded.volume.records import GIB

CHUNK = 1 << 20
# Seconds after which a conversion is given up; a TiB from a slow disk takes less.
_CONVERSION_S = 4 * 3600
# What one may take of the address space.
_CONVERSION_BYTES = 1 << 30


class Images(Protocol):
    """The image service, as far as a volume needs it; errors are those of nova_lite.image.api."""

    def get(self, ctxt: Any, image_id: str) -> Any: ...

    def download(self, ctxt: Any, image_id: str, target: Any) -> Any: ...


def blank(path: Path, size: int) -> None:
    """A sparse file of ``size`` GiB."""
    with open(files.open_private(path), "wb") as file:
        file.truncate(size * GIB)
        os.fsync(file.fileno())


def resize(path: Path, size: int) -> None:
    """Make the file at least ``size`` GiB long."""
    with open(path, "r+b") as file:
        if os.fstat(file.fileno()).st_size < size * GIB:
            file.truncate(size * GIB)
            os.fsync(file.fileno())


def copy(source: Path, target: Path, size: int) -> None:
    """A sparse copy of ``source``, grown to ``size`` GiB: holes stay holes."""
    with open(source, "rb") as old, open(files.open_private(target), "wb") as new:
        end = os.fstat(old.fileno()).st_size
        place = 0
        while place < end:
            try:
                start = os.lseek(old.fileno(), place, os.SEEK_DATA)
            except OSError:  # nothing but a hole up to the end
                break
            place = os.lseek(old.fileno(), start, os.SEEK_HOLE)
            _copy_range(old.fileno(), new.fileno(), start, place)
        new.truncate(max(size * GIB, end))
        os.fsync(new.fileno())


def _copy_range(source: int, target: int, start: int, end: int) -> None:
    while start < end:
        data = os.pread(source, min(CHUNK, end - start), start)
        if not data:
            return
        os.pwrite(target, data, start)
        start += len(data)
        concurrency.sleep(0)


def from_image(images: Images, ctxt: Any, image: Any, target: Path, size: int) -> None:
    """The image's content as raw bytes, grown to ``size`` GiB.

    :raises ImageUnacceptable: the image is not what it says, refers to other files, or does not fit.
    """
    fetched = target.with_name(target.name + ".image")
    try:
        images.download(ctxt, image.id, os.fspath(fetched))
        _check(fetched, image, size)
        if image.disk_format in ("raw", "iso"):
            copy(fetched, target, size)
        else:
            _convert(fetched, target, image, size)
    finally:
        fetched.unlink(missing_ok=True)


def _check(path: Path, image: Any, size: int) -> None:
    """What the bytes are, said by themselves: hostile ones must not reach qemu-img under a false name."""
    if image.disk_format in ("raw", "iso"):
        needed = path.stat().st_size
    else:
        try:
            found = format_inspector.detect_file_format(os.fspath(path))
            if found is None:
                raise ValueError("nothing that is known")
            found.safety_check()
        except Exception as error:  # inspectors parse hostile bytes and raise whatever they like
            raise exception.ImageUnacceptable(image_id=image.id, reason="its content fails the safety check") from error
        if str(found) != image.disk_format:
            raise exception.ImageUnacceptable(
                image_id=image.id, reason=f"its content is {found}, not {image.disk_format}"
            )
        needed = int(found.virtual_size)
    if needed > size * GIB:
        raise exception.ImageUnacceptable(image_id=image.id, reason=f"it does not fit into {size} GiB")


def _convert(source: Path, target: Path, image: Any, size: int) -> None:
    # Under limits of its own: a table in an image that asks for all memory ends only the conversion.
    limits = ["prlimit", f"--as={_CONVERSION_BYTES}", f"--cpu={_CONVERSION_S}", "--core=0", "--"]
    command = [*limits, "qemu-img", "convert", "-q", "-f", str(image.disk_format), "-O", "raw"]
    command += [os.path.abspath(source), os.path.abspath(target)]
    try:
        done = concurrency.run_blocking(
            lambda: subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=_CONVERSION_S,
                check=False,
                env={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "MALLOC_ARENA_MAX": "1"},
            )
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise exception.ImageUnacceptable(image_id=image.id, reason="it could not be converted") from error
    if done.returncode != 0:
        raise exception.ImageUnacceptable(image_id=image.id, reason="it could not be converted")
    target.chmod(0o600)
    resize(target, size)
