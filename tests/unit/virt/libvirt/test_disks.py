from __future__ import annotations

import os
import pathlib
import stat
import struct
import time
from dataclasses import replace
from typing import Any

import pytest

from nova_lite import exception
from nova_lite.objects import ImageMeta
from nova_lite.virt import images
from nova_lite.virt.libvirt.disks import Disks
from nova_lite.virt.libvirt.imagecache import Base
from nova_lite.virt.libvirt.layout import LocalDisk
from nova_lite.virt.libvirt.options import GIB, MIB, Options
from tests.unit.virt.libvirt.build.requests import FLAVOR, INSTANCE, UUID

IMAGE = ImageMeta(id="image-1", disk_format="raw")
SERVER = INSTANCE.replace(image=IMAGE, flavor=FLAVOR.replace(root_gb=2, ephemeral_gb=3, swap_mb=64))


class Cache:
    """Has every image, of 5 MiB."""

    def __init__(self, root: pathlib.Path) -> None:
        self.root = root
        self.fetched: list[tuple[str, int]] = []
        self.collected: list[frozenset[str]] = []

    def fetch(self, ctxt: Any, image: ImageMeta, limit_bytes: int) -> Base:
        self.fetched.append((image.id, limit_bytes))
        return Base(str(self.root / "base.raw"), "raw", 5 * MIB)

    def fetch_kernel(self, ctxt: Any, image_id: str) -> str:
        return f"/base/{image_id}.kernel"

    def collect(self, in_use: frozenset[str]) -> list[str]:
        self.collected.append(in_use)
        return []


@pytest.fixture
def options(tmp_path: pathlib.Path) -> Options:
    return Options(instances_path=str(tmp_path))


@pytest.fixture
def cache(tmp_path: pathlib.Path) -> Cache:
    return Cache(tmp_path)


@pytest.fixture
def qemu_img(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    """Every overlay that was made: (base format, base, path, size)."""
    made: list[tuple[str, ...]] = []

    def run(argv: tuple[str, ...], limits: images.Limits) -> bytes:
        made.append(argv)
        pathlib.Path(argv[-2]).write_bytes(struct.pack(">24xQ", int(argv[-1])))
        return b""

    monkeypatch.setattr(images, "run", run)
    return made


@pytest.fixture
def disks(options: Options, cache: Cache, qemu_img: Any) -> Disks:
    return Disks(options, cache)  # type: ignore[arg-type]


def test_create(disks: Disks, options: Options, cache: Cache, qemu_img: list[tuple[str, ...]]) -> None:
    layout = disks.create(None, SERVER)
    directory = pathlib.Path(options.instances_path) / UUID
    base = str(pathlib.Path(options.instances_path) / "base.raw")
    assert layout.disks == (
        LocalDisk("root", str(directory / "disk.root"), "qcow2", base=base, base_format="raw"),
        LocalDisk("ephemeral", str(directory / "disk.ephemeral"), "raw"),
        LocalDisk("swap", str(directory / "disk.swap"), "raw"),
    )
    assert cache.fetched == [("image-1", 2 * GIB)]
    assert qemu_img == [images.overlay_argv(base, "raw", str(directory / "disk.root.part"), 2 * GIB)]
    assert (directory / "disk.ephemeral").stat().st_size == 3 * GIB
    assert (directory / "disk.ephemeral").stat().st_blocks == 0
    assert (directory / "disk.swap").stat().st_size == 64 * MIB
    assert disks.find(UUID) == layout
    assert sorted(path.name for path in directory.iterdir()) == [
        "disk.ephemeral",
        "disk.root",
        "disk.swap",
        "disks.json",
    ]
    assert {stat.S_IMODE(path.stat().st_mode) for path in directory.iterdir()} == {0o600}
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700


def test_another_user_of_qemu_may_pass_through(options: Options, cache: Cache, qemu_img: Any) -> None:
    Disks(options, cache, readable_by_others=True).create(None, SERVER)  # type: ignore[arg-type]
    assert stat.S_IMODE(os.stat(os.path.join(options.instances_path, UUID)).st_mode) == 0o711


def test_again_changes_nothing(disks: Disks, cache: Cache, qemu_img: list[tuple[str, ...]]) -> None:
    first = disks.create(None, SERVER)
    pathlib.Path(first.disks[1].path).write_bytes(b"the user's data")
    assert disks.create(None, SERVER) == first
    assert len(qemu_img) == len(cache.fetched) == 1
    assert pathlib.Path(first.disks[1].path).read_bytes() == b"the user's data"


def test_an_unfinished_attempt_is_made_again(disks: Disks, options: Options, qemu_img: list[tuple[str, ...]]) -> None:
    directory = pathlib.Path(options.instances_path) / UUID
    directory.mkdir()
    for name in ("disk.root", "disk.root.part", "disks.json.part", "disk.swap"):
        (directory / name).write_bytes(b"half")
    disks.create(None, SERVER)
    assert len(qemu_img) == 1
    assert (directory / "disk.swap").stat().st_size == 64 * MIB
    assert not list(directory.glob("*.part"))


def test_a_disk_that_is_gone_is_not_replaced_by_an_empty_one(disks: Disks) -> None:
    layout = disks.create(None, SERVER)
    os.unlink(layout.disks[1].path)
    with pytest.raises(exception.BuildFailed, match="gone"):
        disks.create(None, SERVER)


def test_a_damaged_manifest_is_not_taken_for_none(disks: Disks) -> None:
    disks.create(None, SERVER)
    pathlib.Path(disks.paths(UUID).manifest).write_text("{")
    with pytest.raises(exception.NovaLiteError, match="damaged"):
        disks.create(None, SERVER)


def test_a_flavor_without_a_root_size_takes_the_images(disks: Disks, qemu_img: list[tuple[str, ...]]) -> None:
    disks.create(None, SERVER.replace(flavor=FLAVOR.replace(root_gb=0)))
    assert qemu_img[0][-1] == str(5 * MIB)


def test_a_cd_is_used_in_place(disks: Disks, qemu_img: list[tuple[str, ...]]) -> None:
    layout = disks.create(None, SERVER.replace(image=IMAGE.replace(disk_format="iso")))
    assert (layout.disks[0].device, layout.disks[0].format) == ("cdrom", "raw")
    assert qemu_img == []


def test_kernel_and_ramdisk(disks: Disks) -> None:
    layout = disks.create(None, SERVER.replace(kernel_id="k", ramdisk_id="r"))
    assert (layout.kernel, layout.ramdisk) == ("/base/k.kernel", "/base/r.kernel")


def test_no_image(disks: Disks) -> None:
    with pytest.raises(exception.BuildFailed, match="no image"):
        disks.create(None, SERVER.replace(image=None))


def test_delete_removes_all_and_may_be_called_again(disks: Disks, options: Options) -> None:
    disks.create(None, SERVER)
    (pathlib.Path(options.instances_path) / UUID / "console.log").touch()
    disks.delete(UUID)
    disks.delete(UUID)
    assert os.listdir(options.instances_path) == []
    assert disks.find(UUID) is None


def test_servers(disks: Disks, options: Options) -> None:
    assert disks.servers() == frozenset()
    for name in (UUID, "_base", UUID.upper(), "a-b-c-d-e"):
        (pathlib.Path(options.instances_path) / name).mkdir()
    assert disks.servers() == {UUID}, "an unfinished directory counts, what is not ours does not"


def test_delete_takes_no_path(disks: Disks) -> None:
    with pytest.raises(ValueError):
        disks.delete("..")


def test_collect_spares_what_any_server_uses(disks: Disks, options: Options, cache: Cache) -> None:
    layout = disks.create(None, SERVER.replace(kernel_id="k"))
    cache.collected.clear()
    disks.collect()
    assert {layout.disks[0].base, "/base/k.kernel"} <= cache.collected[0]
    pathlib.Path(disks.paths(UUID).manifest).write_text("{")
    disks.collect()
    assert len(cache.collected) == 1, "collected while it was unknown what one server uses"


def test_overcommitted(disks: Disks) -> None:
    assert disks.overcommitted_bytes() == 0
    disks.create(None, SERVER)
    grown = sum(os.stat(disk.path).st_blocks * 512 for disk in disks.find(UUID).disks)  # type: ignore[union-attr]
    assert disks.overcommitted_bytes() == 2 * GIB + 3 * GIB + 64 * MIB - grown
    pathlib.Path(disks.paths(UUID).manifest).write_text("{")
    assert disks.overcommitted_bytes() == 0


def test_an_instances_directory_that_is_not_there_yet(options: Options, cache: Cache, tmp_path: pathlib.Path) -> None:
    none = Disks(replace(options, instances_path=str(tmp_path / "none")), cache)  # type: ignore[arg-type]
    assert none.overcommitted_bytes() == 0
    none.collect()
    started = time.monotonic()
    none.delete(UUID)
    assert time.monotonic() - started < 1
