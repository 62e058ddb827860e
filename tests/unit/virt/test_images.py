"""Images by their bytes: a table of what is accepted and what is refused, and why."""

from __future__ import annotations

import json
import pathlib
import struct
import subprocess
from typing import Any

import pytest

from nova_lite import exception
from nova_lite.objects import ImageMeta
from nova_lite.virt import images
from nova_lite.virt.images import GIB, MIB, Found, Limits

CLUSTER_BITS = 16


def qcow2(
    *,
    version: int = 3,
    size: int = MIB,
    backing: int = 0,
    cluster_bits: int = CLUSTER_BITS,
    crypt: int = 0,
    l1_size: int = 1,
    l1_offset: int = 0x30000,
    table: int = 0x10000,
    table_clusters: int = 1,
    snapshots: int = 0,
    incompatible: int = 0,
    header_length: int = 104,
    extensions: tuple[tuple[int, bytes], ...] = (),
    total: int = 0x40000,
    boot_signature: bool = False,
) -> bytes:
    """A qcow2 header as its documentation draws it, in a file of ``total`` bytes."""
    head = struct.pack(
        ">4sIQIIQIIQQIIQ", b"QFI\xfb", version, backing, 0, cluster_bits, size, crypt, l1_size, l1_offset, table,
        table_clusters, snapshots, 0,
    )  # fmt: skip
    if version == 3:
        head += struct.pack(">QQQII", incompatible, 0, 0, 4, header_length)
        head = head.ljust(header_length, b"\0") if header_length < 1 << 16 else head
    for kind, data in extensions:
        head += struct.pack(">II", kind, len(data)) + data + b"\0" * (-len(data) % 8)
    content = bytearray((head + b"\0" * 8).ljust(total, b"\0"))
    if boot_signature:
        content[510:512] = b"\x55\xaa"
    return bytes(content[:total])


def mbr(size: int = MIB) -> bytes:
    content = bytearray(size)
    content[446:462] = struct.pack("<B3BB3BII", 0x80, 0, 2, 0, 0x83, 0, 0, 0, 1, 100)
    content[510:512] = b"\x55\xaa"
    return bytes(content)


def iso() -> bytes:
    content = bytearray(0x8000 + 2048 * 3)
    content[0x8000:0x8006] = b"\x01CD001"
    struct.pack_into("<HH", content, 0x8000 + 80, 19, 0)
    struct.pack_into("<H", content, 0x8000 + 128, 2048)
    return bytes(content)


def vmdk_descriptor() -> bytes:
    text = b'# Disk DescriptorFile\nversion=1\nCID=1\ncreateType="monolithicFlat"\nRW 2048 FLAT "/etc/passwd" 0\n'
    return text.ljust(MIB, b"\0")


def vmdk_sparse() -> bytes:
    return struct.pack("<4sIIQQQQIQQQ", b"KDMV", 1, 3, 2048, 128, 1, 20, 512, 21, 26, 128).ljust(MIB, b"\0")


@pytest.fixture
def prove(tmp_path: pathlib.Path) -> Any:
    def call(content: bytes, declared: str | None, limit: int = GIB) -> Found:
        path = tmp_path / "image"
        path.write_bytes(content)
        return images.prove(str(path), ImageMeta(id="image-1", disk_format=declared), limit)

    return call


ACCEPTED = {
    "raw of zeros": (bytes(MIB), "raw", Found("raw", MIB)),
    "raw with a boot sector": (mbr(), "raw", Found("raw", MIB)),
    "ami": (bytes(4096), "ami", Found("raw", 4096)),
    "one sector": (b"x" * 512, "raw", Found("raw", 512)),
    "qcow2 version 3": (qcow2(), "qcow2", Found("qcow2", MIB)),
    "qcow2 version 2": (qcow2(version=2), "qcow2", Found("qcow2", MIB)),
    "qcow2 that was not closed": (qcow2(incompatible=1), "qcow2", Found("qcow2", MIB)),
    "qcow2 of zstd clusters": (qcow2(incompatible=8, header_length=112), "qcow2", Found("qcow2", MIB)),
    "qcow2 with a table of names": (qcow2(extensions=((0x6803F857, b"dirty bit"),)), "qcow2", Found("qcow2", MIB)),
    "iso": (iso(), "iso", Found("raw", 0x8000 + 6144)),
}

REFUSED = {
    "no format declared": (bytes(MIB), None, "not supported"),
    "an unknown format": (bytes(MIB), "qed", "'qed' is not supported"),
    "vmdk": (vmdk_sparse(), "vmdk", "not supported"),
    "vmdk named raw": (vmdk_sparse(), "raw", "declared"),
    "vmdk descriptor": (vmdk_descriptor(), "vmdk", "not supported"),
    "qcow2 named raw": (qcow2(), "raw", "declared"),
    "qcow2 with a backing file named raw": (qcow2(backing=512), "raw", "declared"),
    "raw named qcow2": (bytes(MIB), "qcow2", "declared"),
    "raw named iso": (bytes(MIB), "iso", "declared"),
    "disk named iso": (mbr(), "iso", "declared"),
    "iso named raw": (iso(), "raw", "declared"),
    "qed": (b"QED\0".ljust(MIB, b"\0"), "raw", "declared"),
    "vdi": (b"\0" * 0x40 + struct.pack("<I", 0xBEDA107F).ljust(MIB, b"\0"), "raw", "declared"),
    "vhdx": (b"vhdxfile".ljust(MIB, b"\0"), "raw", ""),
    "vhd": (b"conectix".ljust(MIB, b"\0"), "raw", "declared"),
    "luks": (b"LUKS\xba\xbe\0\x01".ljust(MIB, b"\0"), "raw", ""),
    "nothing": (b"", "raw", "smaller than one"),
    "one byte": (b"x", "raw", "smaller than one"),
    "nothing as qcow2": (b"", "qcow2", "declared"),
    "qcow2 and boot sector at once": (qcow2(boot_signature=True), "qcow2", "several formats"),
    "qcow2 cut short": (qcow2()[:40], "qcow2", ""),
    "qcow2 cut after version 2": (qcow2()[:80].ljust(100, b"\0"), "qcow2", ""),
    "backing file": (qcow2(backing=512), "qcow2", "names a backing file"),
    "backing file in version 2": (qcow2(version=2, backing=512), "qcow2", "names a backing file"),
    "backing format alone": (qcow2(extensions=((0xE2792ACA, b"raw"),)), "qcow2", "names a backing file"),
    "backing format in version 2": (
        qcow2(version=2, extensions=((0xE2792ACA, b"raw"),)), "qcow2", "names a backing file",
    ),
    "external data file": (qcow2(incompatible=4), "qcow2", "names an external data file"),
    "external data file by extension": (
        qcow2(extensions=((0x44415441, b"/etc/passwd"),)), "qcow2", "names an external data file",
    ),
    "data file behind another extension": (
        qcow2(extensions=((0x6803F857, b"abc"), (0x44415441, b"/etc/passwd"))), "qcow2", "external data file",
    ),
    "marked corrupt": (qcow2(incompatible=2), "qcow2", "corrupt"),
    "subclusters": (qcow2(incompatible=16), "qcow2", "features"),
    "a feature of the future": (qcow2(incompatible=1 << 63), "qcow2", "features"),
    "version 1": (qcow2(version=1), "qcow2", "version 1"),
    "version 4": (qcow2(version=4), "qcow2", "version 4"),
    "encrypted": (qcow2(crypt=2), "qcow2", "encrypted"),
    "encrypted by extension": (qcow2(extensions=((0x0537BE77, b"x" * 16),)), "qcow2", "encrypted"),
    "tiny clusters": (qcow2(cluster_bits=8), "qcow2", "cluster size"),
    "huge clusters": (qcow2(cluster_bits=31), "qcow2", "cluster size"),
    "huge cluster table": (qcow2(l1_size=0xFFFFFFFF), "qcow2", "cluster table"),
    "cluster table outside": (qcow2(l1_offset=1 << 40), "qcow2", "cluster table"),
    "huge reference table": (qcow2(table_clusters=0xFFFFFFFF), "qcow2", "reference table"),
    "reference table outside": (qcow2(table=1 << 50), "qcow2", "reference table"),
    "many snapshots": (qcow2(snapshots=60000), "qcow2", "snapshots"),
    "short header": (qcow2(header_length=96), "qcow2", "impossible length"),
    "long header": (qcow2(header_length=1 << 20), "qcow2", "impossible length"),
    "odd header": (qcow2(header_length=105), "qcow2", "impossible length"),
    "extension beyond the cluster": (
        qcow2()[:104] + struct.pack(">II", 1, 1 << 30) + bytes(0x40000 - 112), "qcow2", "cut short",
    ),
    "more than the flavor has": (qcow2(size=GIB + 1), "qcow2", "virtual size"),
    "10 PB": (qcow2(size=10**16), "qcow2", "virtual size"),
}  # fmt: skip


@pytest.mark.parametrize("name", ACCEPTED)
def test_accepted(name: str, prove: Any) -> None:
    content, declared, expected = ACCEPTED[name]
    assert prove(content, declared) == expected


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name: str, prove: Any, tmp_path: pathlib.Path) -> None:
    content, declared, reason = REFUSED[name]
    with pytest.raises(exception.ImageUnacceptable) as caught:
        prove(content, declared)
    assert reason in str(caught.value)
    assert "image-1" in str(caught.value)
    assert str(tmp_path) not in str(caught.value)


def test_the_limit_itself_is_allowed(prove: Any) -> None:
    assert prove(qcow2(size=GIB), "qcow2", GIB).virtual_size == GIB
    assert prove(bytes(MIB), "raw", MIB).virtual_size == MIB
    with pytest.raises(exception.ImageUnacceptable, match=r"of 0\.01 GiB is above the limit of 0 GiB"):
        prove(bytes(10 * MIB), "raw", MIB)


# -- qemu-img ---------------------------------------------------------------------------------------------------------

ARGV = {
    images.info_argv("/i/a", "qcow2"): "qemu-img info -f qcow2 --output=json /i/a",
    images.convert_argv("/i/a", "qcow2", "/i/b", "raw"): "qemu-img convert -q -f qcow2 -O raw /i/a /i/b",
    images.overlay_argv("/b/x.raw", "raw", "/i/disk", 1024): (
        "qemu-img create -q -f qcow2 -F raw -b /b/x.raw /i/disk 1024"
    ),
}


@pytest.mark.parametrize("argv", ARGV)
def test_argv(argv: tuple[str, ...]) -> None:
    assert " ".join(argv) == ARGV[argv]


@pytest.mark.parametrize("path", ["nbd:127.0.0.1:1", "json:{}", "-f", "relative", ""])
def test_only_absolute_paths_reach_qemu_img(path: str) -> None:
    for make in (
        lambda: images.info_argv(path, "raw"),
        lambda: images.convert_argv(path, "raw", "/b", "raw"),
        lambda: images.convert_argv("/a", "raw", path, "raw"),
        lambda: images.overlay_argv(path, "raw", "/b", 1),
        lambda: images.overlay_argv("/a", "raw", path, 1),
    ):
        with pytest.raises(ValueError, match="absolute"):
            make()


def test_limits_come_before_the_program() -> None:
    found = images.limited(("qemu-img", "info"), Limits(memory_mb=512, timeout_s=30))
    assert found == ("prlimit", f"--as={512 * MIB}", "--cpu=30", "--core=0", "--", "qemu-img", "info")


class FakeRun:
    """subprocess.run, recorded; ``answer`` is (returncode, stdout, stderr) or what to raise."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer
        self.calls: list[tuple[Any, dict[str, Any]]] = []

    def __call__(self, argv: Any, **options: Any) -> Any:
        self.calls.append((argv, options))
        if isinstance(self.answer, Exception):
            raise self.answer
        return subprocess.CompletedProcess(argv, *self.answer)


def fake_run(monkeypatch: pytest.MonkeyPatch, answer: Any) -> FakeRun:
    fake = FakeRun(answer)
    monkeypatch.setattr(images.subprocess, "run", fake)
    return fake


def test_run_is_limited_in_time_and_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    fake = fake_run(monkeypatch, (0, b"out", b""))
    assert images.run(("qemu-img", "info"), Limits(512, 30)) == b"out"
    argv, options = fake.calls[0]
    assert argv[0] == "prlimit"
    assert options["timeout"] == 30
    assert options["stdin"] == subprocess.DEVNULL
    assert options["env"]["MALLOC_ARENA_MAX"] == "1"
    assert "shell" not in options


@pytest.mark.parametrize(
    ("answer", "hostile"),
    [
        ((1, b"", b"qemu-img: Could not open"), True),
        ((-9, b"", b""), True),
        ((-24, b"", b""), True),
        ((1, b"", b"qemu-img: error while writing: No space left on device"), False),
        ((127, b"", b"prlimit: failed to execute qemu-img"), False),
        (subprocess.TimeoutExpired("qemu-img", 30), False),
        (FileNotFoundError("prlimit"), False),
    ],
)
def test_whose_fault(monkeypatch: pytest.MonkeyPatch, answer: Any, hostile: bool) -> None:
    fake_run(monkeypatch, answer)
    with pytest.raises(images.QemuImgError) as caught:
        images.run(("qemu-img", "info"), Limits())
    assert caught.value.facts["hostile"] is hostile


IMAGE = ImageMeta(id="image-1", disk_format="qcow2")
AGREES = {"format": "qcow2", "virtual-size": MIB, "format-specific": {"type": "qcow2", "data": {"compat": "1.1"}}}


def opinion(monkeypatch: pytest.MonkeyPatch, seen: dict[str, Any]) -> None:
    fake_run(monkeypatch, (0, json.dumps(seen).encode(), b""))
    images.second_opinion("/x", IMAGE, Found("qcow2", MIB), Limits())


def test_a_second_opinion_that_agrees(monkeypatch: pytest.MonkeyPatch) -> None:
    opinion(monkeypatch, AGREES)


@pytest.mark.parametrize(
    "change",
    [
        {"backing-filename": "/etc/passwd"},
        {"encrypted": True},
        {"format": "raw"},
        {"virtual-size": 2 * MIB},
        {"format-specific": {"data": {"data-file": "/etc/passwd"}}},
    ],
)
def test_a_second_opinion_that_differs(monkeypatch: pytest.MonkeyPatch, change: dict[str, Any]) -> None:
    with pytest.raises(exception.ImageUnacceptable) as caught:
        opinion(monkeypatch, {**AGREES, **change})
    assert "/etc/passwd" not in str(caught.value)


def test_a_second_opinion_that_cannot_be_had(monkeypatch: pytest.MonkeyPatch) -> None:
    fake_run(monkeypatch, (1, b"", b"/srv/secret/path: invalid"))
    with pytest.raises(exception.ImageUnacceptable) as caught:
        images.second_opinion("/x", IMAGE, Found("qcow2", MIB), Limits())
    assert "/srv" not in str(caught.value)
    fake_run(monkeypatch, subprocess.TimeoutExpired("qemu-img", 1))
    with pytest.raises(images.QemuImgError):
        images.second_opinion("/x", IMAGE, Found("qcow2", MIB), Limits())
