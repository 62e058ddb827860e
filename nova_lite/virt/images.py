"""Images are hostile until proven harmless: their format is read from their bytes, never believed; qemu-img is told it.

QEMU opens whatever files an image's header names (backing file, external data file, VMDK extents): a header is judged
here, by parsing alone, before any QEMU program sees the file. See OSSA-2024-001, OSSA-2023-002, OSSA-2016-012.
Nothing is logged here: these functions run on native threads, where a green lock must not be touched.
"""

from __future__ import annotations

import json
import os
import signal
import struct
import subprocess
from dataclasses import dataclass
from typing import BinaryIO

from oslo_utils.imageutils import format_inspector

from nova_lite import exception
from nova_lite.objects import ImageMeta

MIB = 1024 * 1024
GIB = 1024 * MIB
SECTOR = 512

# What the image service may call a disk: the formats its bytes may then show, and how QEMU is told to read it.
# A partitioned disk (gpt) is read as raw, which interprets nothing; a CD image may be bootable as a disk as well.
DECLARED: dict[str, tuple[frozenset[str], str]] = {
    "raw": (frozenset({"raw", "gpt"}), "raw"),
    "ami": (frozenset({"raw", "gpt"}), "raw"),
    "qcow2": (frozenset({"qcow2"}), "qcow2"),
    "iso": (frozenset({"iso", "gpt"}), "raw"),
}
KERNEL_FORMATS = frozenset({"aki", "ari", "raw", "ami"})


@dataclass(frozen=True)
class Found:
    """A harmless image: ``format`` is what QEMU must be told; ``virtual_size`` in bytes, as the guest will see it."""

    format: str
    virtual_size: int


class _UnsafeError(Exception):
    """Why an image must not be used; the text is safe for the user."""


def prove(path: str, image: ImageMeta, limit_bytes: int) -> Found:
    """Read the image's header and say what it is.

    :param limit_bytes: the largest virtual size the flavor allows.
    :raises ImageUnacceptable: it is not what it claims, reaches outside itself, or is too large.
    """
    try:
        found = _inspect(path, image.disk_format)
        if found.virtual_size > limit_bytes:
            raise _UnsafeError(
                f"its virtual size of {_gib(found.virtual_size)} GiB is above the limit of {_gib(limit_bytes)} GiB"
            )
    except _UnsafeError as error:
        raise exception.ImageUnacceptable(image_id=image.id, reason=str(error)) from error
    return found


def _gib(size: int) -> str:
    return f"{size / GIB:.2f}".rstrip("0").rstrip(".")


def _inspect(path: str, declared: str | None) -> Found:
    if declared not in DECLARED:
        raise _UnsafeError(f"its disk format {str(declared)[:20]!r} is not supported")
    shows, read_as = DECLARED[declared]
    matches = {inspector.NAME: inspector for inspector in _matches(path)}
    if len(matches) > 1 and not set(matches) <= shows:
        raise _UnsafeError("its content is of several formats at once")
    if not set(matches) <= shows or (declared == "iso" and "iso" not in matches):
        raise _UnsafeError(f"its content is not of the declared disk format {declared!r}")
    size = os.path.getsize(path)
    if read_as == "qcow2":
        return Found("qcow2", _qcow2_size(path, size, matches["qcow2"]))
    if size < SECTOR:
        raise _UnsafeError("it is smaller than one disk sector")
    return Found(read_as, size)


def _matches(path: str) -> list[format_inspector.FileInspector]:
    """Every known format that the bytes show; raw alone where none is known."""
    with open(path, "rb") as source:
        wrapper = format_inspector.InspectWrapper(source)
        try:
            while wrapper.read(64 * 1024) and wrapper.formats is None:
                pass
            wrapper.close()
            return wrapper.formats or []
        except (format_inspector.ImageFormatError, struct.error, ValueError, IndexError) as error:
            raise _UnsafeError("its format cannot be recognised") from error


# -- qcow2 ----------------------------------------------------------------------------------------------------------
# docs/interop/qcow2.txt of QEMU; the limits are those of its block/qcow2.h.

_V2 = struct.Struct(">4sIQIIQIIQQIIQ")
_V3 = struct.Struct(">QQQII")
_DIRTY, _COMPRESSION_TYPE = 1 << 0, 1 << 3
_CORRUPT, _DATA_FILE = 1 << 1, 1 << 2
_EXTENSIONS_REFUSED = {
    0xE2792ACA: "it names a backing file",
    0x44415441: "it names an external data file",
    0x0537BE77: "it is encrypted",
}
_L1_ENTRIES_MAX = 4 * MIB
_REFCOUNT_TABLE_MAX = 8 * MIB
_SNAPSHOTS_MAX = 1024


def _qcow2_size(path: str, file_size: int, inspector: format_inspector.FileInspector) -> int:
    """The virtual size of a qcow2 that reaches nowhere outside itself."""
    with open(path, "rb") as source:
        size = _judge_header(source, file_size)
    try:
        inspector.safety_check()  # the library's own rules, should they ever know more
    except (format_inspector.SafetyCheckFailed, format_inspector.ImageFormatError) as error:
        raise _UnsafeError("its header is not safe") from error
    return size


def _judge_header(source: BinaryIO, file_size: int) -> int:
    header = source.read(_V2.size)
    if len(header) < _V2.size:
        raise _UnsafeError("its header is cut short")
    (_, version, backing, _, cluster_bits, size, crypt, l1_size, l1_offset, table, table_clusters, snapshots, _) = (
        _V2.unpack(header)
    )
    if version not in (2, 3):
        raise _UnsafeError(f"its qcow2 version {version} is not supported")
    if backing:
        raise _UnsafeError("it names a backing file")
    if crypt:
        raise _UnsafeError("it is encrypted")
    if not 9 <= cluster_bits <= 21:
        raise _UnsafeError("its cluster size is out of range")
    cluster = 1 << cluster_bits
    if l1_size > _L1_ENTRIES_MAX or l1_offset + l1_size * 8 > file_size:
        raise _UnsafeError("its cluster table is out of range")
    if table_clusters * cluster > _REFCOUNT_TABLE_MAX or table + table_clusters * cluster > file_size + cluster:
        raise _UnsafeError("its reference table is out of range")
    if snapshots > _SNAPSHOTS_MAX:
        raise _UnsafeError("it has too many snapshots")
    start = _judge_features(source, cluster) if version == 3 else _V2.size
    _judge_extensions(source, start, cluster)
    return int(size)


def _judge_features(source: BinaryIO, cluster: int) -> int:
    """Offset of the header's extensions."""
    more = source.read(_V3.size)
    if len(more) < _V3.size:
        raise _UnsafeError("its header is cut short")
    incompatible, _, _, _, header_length = _V3.unpack(more)
    if incompatible & _DATA_FILE:
        raise _UnsafeError("it names an external data file")
    if incompatible & _CORRUPT:
        raise _UnsafeError("it is marked as corrupt")
    if incompatible & ~(_DIRTY | _COMPRESSION_TYPE):
        raise _UnsafeError("it needs features that are not supported")
    if not _V2.size + _V3.size <= header_length <= cluster or header_length % 8:
        raise _UnsafeError("its header is of an impossible length")
    return int(header_length)


def _judge_extensions(source: BinaryIO, start: int, cluster: int) -> None:
    source.seek(0)
    area = source.read(cluster)
    position = start
    while position + 8 <= len(area):
        kind, length = struct.unpack_from(">II", area, position)
        if kind == 0:
            return
        if kind in _EXTENSIONS_REFUSED:
            raise _UnsafeError(_EXTENSIONS_REFUSED[kind])
        position += 8 + -(-length // 8) * 8
    if position > len(area):
        raise _UnsafeError("its header is cut short")


# -- qemu-img -------------------------------------------------------------------------------------------------------

PROGRAMS = ("qemu-img", "prlimit")  # what a host needs for all below


@dataclass(frozen=True)
class Limits:
    """What one qemu-img may take: address space in MiB, seconds of CPU and of time."""

    memory_mb: int = 1024
    timeout_s: int = 600


class QemuImgError(exception.NovaLiteError):
    """qemu-img failed; ``facts["hostile"]`` says whether the image's content, not this host, is the likely reason."""


def info_argv(path: str, fmt: str) -> tuple[str, ...]:
    return ("qemu-img", "info", "-f", fmt, "--output=json", _absolute(path))


def convert_argv(source: str, source_format: str, target: str, target_format: str) -> tuple[str, ...]:
    return ("qemu-img", "convert", "-q", "-f", source_format, "-O", target_format, _absolute(source), _absolute(target))


def overlay_argv(base: str, base_format: str, path: str, size_bytes: int) -> tuple[str, ...]:
    """A copy-on-write disk: reads of what it does not hold come from ``base``."""
    return (
        "qemu-img", "create", "-q", "-f", "qcow2", "-F", base_format, "-b", _absolute(base), _absolute(path),
        str(size_bytes),
    )  # fmt: skip


def _absolute(path: str) -> str:
    """A path that QEMU cannot take for a protocol ("nbd:..."), a JSON description or an option."""
    if not path.startswith("/"):
        raise ValueError(f"not an absolute path: {path!r}")
    return path


def limited(argv: tuple[str, ...], limits: Limits) -> tuple[str, ...]:
    """The command under resource limits of its own: a table that asks for all memory ends only itself."""
    return (
        "prlimit", f"--as={limits.memory_mb * MIB}", f"--cpu={limits.timeout_s}", "--core=0", "--", *argv,
    )  # fmt: skip


def run(argv: tuple[str, ...], limits: Limits) -> bytes:
    """Run qemu-img to its end and return what it prints; blocks.

    :raises QemuImgError: it failed or took too long. The text is for the log: it names paths.
    """
    # One heap: glibc reserves up to 128 MiB of address space for every thread's own, and eight threads of a compressed
    # image would then meet the limit now and again.
    environment = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "MALLOC_ARENA_MAX": "1"}
    try:
        done = subprocess.run(
            limited(argv, limits), stdin=subprocess.DEVNULL, capture_output=True, timeout=limits.timeout_s,
            env=environment, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise QemuImgError(f"{argv[0]} {argv[1]} took more than {limits.timeout_s} s", hostile=False) from error
    except OSError as error:
        raise QemuImgError(f"{argv[0]} cannot be run: {error}", hostile=False) from error
    if done.returncode == 0:
        return done.stdout
    text = done.stderr.decode(errors="replace").strip()[:1000]
    hostile = done.returncode != -signal.SIGTERM and "No space left" not in text and done.returncode != 127
    raise QemuImgError(f"{argv[0]} {argv[1]} failed ({done.returncode}): {text}", hostile=hostile)


def second_opinion(path: str, image: ImageMeta, found: Found, limits: Limits) -> None:
    """Ask qemu-img, told the format, whether it sees the same; blocks.

    :raises ImageUnacceptable: it does not, or cannot read the image.
    """
    try:
        seen = json.loads(run(info_argv(path, found.format), limits))
    except QemuImgError as error:
        if not error.facts["hostile"]:
            raise
        raise exception.ImageUnacceptable(image_id=image.id, reason=f"it is not readable as {found.format}") from error
    data = seen.get("format-specific", {}).get("data", {})
    reaches_out = seen.get("backing-filename") or data.get("data-file") or seen.get("encrypted")
    if reaches_out or seen.get("format") != found.format:
        raise exception.ImageUnacceptable(image_id=image.id, reason="it is not self-contained")
    if found.format != "raw" and seen.get("virtual-size") != found.virtual_size:
        raise exception.ImageUnacceptable(image_id=image.id, reason="its size is ambiguous")
