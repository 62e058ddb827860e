"""An upload: streamed to a private file, hashed and inspected, then put in place whole or forgotten."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import webob
from oslo_utils.imageutils import format_inspector

from nova_lite import concurrency, exception
from nova_lite.embedded import bodies, files

CHUNK = 256 * 1024
# Sparse formats may claim any size; a claim no disk can have is no size.
_MAX_VIRTUAL_SIZE = 1 << 60
# What content may pass as each declared format; formats not here are content of their own name only.
_ACCEPTED = {
    "raw": ("raw", "gpt"), "gpt": ("gpt",), "ploop": ("raw", "gpt"), "ami": ("raw", "gpt"), "ari": ("raw", "gpt"),
    "aki": ("raw", "gpt"),
}  # fmt: skip


@dataclass(frozen=True)
class Received:
    size: int
    virtual_size: int | None
    checksum: str
    os_hash_value: str


def receive(req: webob.Request, part: Path, disk_format: str, limit: int, must_match: bool) -> Received:
    """Store the request's body in ``part`` and say what it is; on any error nothing is left of it.

    :param limit: bytes it may have.
    :raises TooLarge: it has more.
    :raises Invalid: the client broke off, or announced another size.
    :raises UnsupportedMedia: the content is not of the declared format and ``must_match``.
    """
    try:
        size, md5, sha512 = _store(_chunks(req, limit), part)
        announced = req.headers.get("X-OpenStack-Image-Size", "")
        if announced and announced != str(size):
            raise exception.Invalid(f"The image has {size} bytes, not those that X-OpenStack-Image-Size announced.")
        virtual_size = concurrency.run_blocking(_inspect, part, disk_format, size, must_match)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    return Received(size, virtual_size, md5, sha512)


def _store(chunks: Iterator[bytes], part: Path) -> tuple[int, str, str]:
    """Bytes written, MD5 and SHA-512; the data is on the disk."""
    md5, sha512, size = hashlib.md5(usedforsecurity=False), hashlib.sha512(), 0
    with open(files.open_private(part), "wb") as file:
        for chunk in chunks:
            file.write(chunk)
            md5.update(chunk)
            sha512.update(chunk)
            size += len(chunk)
            concurrency.sleep(0)
        file.flush()
        concurrency.run_blocking(os.fsync, file.fileno())
    return size, md5.hexdigest(), sha512.hexdigest()


def _chunks(req: webob.Request, limit: int) -> Iterator[bytes]:
    length = bodies.declared_length(req)
    if length is not None and length > limit:
        raise exception.TooLarge(f"An image may have at most {limit} bytes.")
    source, done = req.environ["wsgi.input"], 0
    while length is None or done < length:
        try:
            chunk = source.read(CHUNK if length is None else min(CHUNK, length - done))
        except (OSError, ValueError, OverflowError):
            raise exception.Invalid("The upload broke off.") from None
        if not chunk:
            break
        done += len(chunk)
        if done > limit:
            raise exception.TooLarge(f"An image may have at most {limit} bytes.")
        yield chunk
    if length is not None and done < length:
        raise exception.Invalid(f"The upload broke off after {done} of {length} bytes.")


def _inspect(part: Path, disk_format: str, size: int, must_match: bool) -> int | None:
    """The virtual size in bytes, None where the content does not tell."""
    try:
        found = _formats(part)
    except Exception:  # inspectors parse hostile bytes: whatever they raise means that these are not to be trusted
        found = {}
    fits = bool(found) and set(found) <= set(_ACCEPTED.get(disk_format, (disk_format,)))
    # An ISO that also boots from a stick carries a partition table; that is no disguise.
    if disk_format == "iso" and "iso" in found and set(found) <= {"iso", "gpt"}:
        fits = True
    if not fits:
        if must_match:
            what = " and ".join(sorted(found)) or "unreadable"
            raise exception.UnsupportedMedia(f"The content is {what}, not {disk_format} as declared.")
        return None
    virtual_size = found.get(disk_format, size)
    return virtual_size if virtual_size is not None and 0 <= virtual_size <= _MAX_VIRTUAL_SIZE else None


def _formats(part: Path) -> dict[str, int | None]:
    """Virtual sizes by the formats that the content matches."""
    with open(part, "rb") as file:
        wrapper = format_inspector.InspectWrapper(file)
        while wrapper.read(CHUNK) and wrapper.formats is None:
            pass
        wrapper.close()
        return {str(each): _virtual_size(each, part) for each in wrapper.formats or ()}


def _virtual_size(found: format_inspector.FileInspector, part: Path) -> int | None:
    if str(found) in ("raw", "gpt", "iso"):
        return part.stat().st_size
    return int(found.virtual_size)
