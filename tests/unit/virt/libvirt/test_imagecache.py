from __future__ import annotations

import hashlib
import logging
import os
import pathlib
import stat
import threading
import time
from dataclasses import replace
from typing import Any

import pytest

from nova_lite import exception
from nova_lite.objects import ImageMeta
from nova_lite.virt import images
from nova_lite.virt.libvirt import imagecache
from nova_lite.virt.libvirt.imagecache import ImageCache
from nova_lite.virt.libvirt.options import GIB, MIB, Options

CONTENT = bytes(64 * 1024)
IMAGE = ImageMeta(
    id="image-1", disk_format="raw", container_format="bare", size=len(CONTENT),
    checksum=hashlib.md5(CONTENT, usedforsecurity=False).hexdigest(),
    os_hash_algo="sha512", os_hash_value=hashlib.sha512(CONTENT).hexdigest(),
)  # fmt: skip
KERNEL = IMAGE.replace(id="kernel-1", disk_format="aki")


class Door:
    """An image service that counts; ``before`` runs in the middle of each download."""

    def __init__(self, content: bytes = CONTENT) -> None:
        self.content = content
        self.downloads = 0
        self.before: Any = lambda: None

    def get(self, ctxt: Any, image_id: str) -> ImageMeta:
        return replace(KERNEL, id=image_id)

    def download(self, ctxt: Any, image_id: str, path: str) -> None:
        self.downloads += 1
        self.before()
        with open(path, "r+b") as target:  # the cache made it, private
            target.write(self.content)


class QemuImg:
    """Stands for the program: knows one answer, copies for a conversion."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, ...]] = []
        self.fail: Exception | None = None

    def __call__(self, argv: tuple[str, ...], limits: images.Limits) -> bytes:
        self.calls.append(argv)
        if argv[1] == "convert":
            if self.fail:
                raise self.fail
            pathlib.Path(argv[-1]).write_bytes(b"unpacked")
        return b'{"format": "%s", "virtual-size": %d}' % (argv[3].encode(), MIB)


@pytest.fixture
def qemu_img(monkeypatch: pytest.MonkeyPatch) -> QemuImg:
    fake = QemuImg()
    monkeypatch.setattr(images, "run", fake)
    return fake


@pytest.fixture
def options(tmp_path: pathlib.Path) -> Options:
    return Options(instances_path=str(tmp_path))


@pytest.fixture
def door() -> Door:
    return Door()


@pytest.fixture
def cache(options: Options, door: Door, qemu_img: QemuImg) -> ImageCache:
    return ImageCache(options, door)


def kept(options: Options) -> list[str]:
    return sorted(name.partition(".")[2] for name in os.listdir(os.path.join(options.instances_path, "_base")))


def test_fetched_once(cache: ImageCache, door: Door, options: Options) -> None:
    first = cache.fetch(None, IMAGE, GIB)
    assert cache.fetch(None, IMAGE, GIB) == first
    assert door.downloads == 1
    assert (first.format, first.virtual_size) == ("raw", len(CONTENT))
    assert pathlib.Path(first.path).read_bytes() == CONTENT
    assert kept(options) == ["json", "raw"]


def test_modes(options: Options, door: Door, qemu_img: QemuImg) -> None:
    for others, file_mode, directory_mode in ((False, 0o600, 0o700), (True, 0o644, 0o711)):
        path = ImageCache(options, door, others).fetch(None, IMAGE.replace(id=f"i-{others}"), GIB).path
        assert stat.S_IMODE(os.stat(path).st_mode) == file_mode
        assert stat.S_IMODE(os.stat(os.path.dirname(path)).st_mode) == directory_mode


def test_two_at_once_fetch_once(options: Options, door: Door, qemu_img: QemuImg) -> None:
    """Two caches are two processes: only the lock file is between them."""
    second_waits = threading.Event()
    results = []

    def fetch() -> None:
        results.append(ImageCache(options, door).fetch(None, IMAGE, GIB))

    other = threading.Thread(target=fetch)

    def during_the_first_download() -> None:
        other.start()
        second_waits.wait(0.3)

    door.before = during_the_first_download
    fetch()
    other.join(10)
    assert len(results) == 2
    assert results[0] == results[1]
    assert door.downloads == 1
    assert kept(options) == ["json", "raw"]


def test_a_changed_image_is_another_base(cache: ImageCache, door: Door) -> None:
    first = cache.fetch(None, IMAGE, GIB)
    door.content = b"\1" * len(CONTENT)
    changed = IMAGE.replace(os_hash_value=hashlib.sha512(door.content).hexdigest())
    assert cache.fetch(None, changed, GIB).path != first.path


KEYS = [
    IMAGE,
    IMAGE.replace(id="other"),
    IMAGE.replace(os_hash_value="00"),
    IMAGE.replace(disk_format="qcow2"),
    IMAGE.replace(os_hash_value=None),
    IMAGE.replace(os_hash_value=None, checksum=None),
    IMAGE.replace(id="../../etc/passwd"),
]


def test_keys_are_file_names_and_differ() -> None:
    found = {imagecache.cache_key(image, kind) for image in KEYS for kind in ("raw", "keep", "kernel")}
    assert len(found) == 3 * len(KEYS)
    assert all(key.isalnum() for key in found)


# -- what must not be used --------------------------------------------------------------------------------------------

REFUSED = {
    "another size": (IMAGE.replace(size=1), "not of its size"),
    "another hash": (IMAGE.replace(os_hash_value="00"), "does not match its checksum"),
    "another md5": (IMAGE.replace(os_hash_algo=None, checksum="00"), "does not match its checksum"),
    "another md5 beside an unknown algorithm": (IMAGE.replace(os_hash_algo="crc", checksum="00"), "checksum"),
    "another format": (IMAGE.replace(disk_format="qcow2"), "declared"),
    "too large as announced": (IMAGE.replace(virtual_size=2 * GIB), "virtual size"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused_and_nothing_kept(name: str, cache: ImageCache, options: Options) -> None:
    image, reason = REFUSED[name]
    with pytest.raises(exception.ImageUnacceptable, match=reason):
        cache.fetch(None, image, GIB)
    assert not os.path.exists(os.path.join(options.instances_path, "_base")) or kept(options) == []


def test_a_cached_image_is_still_too_large_for_a_smaller_flavor(cache: ImageCache, door: Door) -> None:
    cache.fetch(None, IMAGE, GIB)
    with pytest.raises(exception.ImageUnacceptable, match="virtual size"):
        cache.fetch(None, IMAGE, 512)


def test_a_flavor_without_a_size_leaves_it_to_the_host(options: Options, door: Door, qemu_img: QemuImg) -> None:
    image = IMAGE.replace(virtual_size=3 * GIB)
    with pytest.raises(exception.ImageUnacceptable, match="above the limit of 2.00 GiB"):
        ImageCache(replace(options, max_virtual_size_gb=2), door).fetch(None, image, 0)
    assert ImageCache(replace(options, max_virtual_size_gb=3), door).fetch(None, image, 0)


def test_an_image_without_checksum_is_said(cache: ImageCache, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        cache.fetch(None, IMAGE.replace(os_hash_value=None, checksum=None), GIB)
    assert "no checksum" in caplog.text


def test_a_failed_download_leaves_nothing_and_is_tried_again(cache: ImageCache, door: Door, options: Options) -> None:
    def fail() -> None:
        raise ConnectionError("lost")

    door.before = fail
    with pytest.raises(ConnectionError):
        cache.fetch(None, IMAGE, GIB)
    assert kept(options) == []
    door.before = lambda: None
    assert cache.fetch(None, IMAGE, GIB)


def test_litter_of_a_kill_is_removed(cache: ImageCache, options: Options) -> None:
    key = imagecache.cache_key(IMAGE, "raw")
    base = pathlib.Path(options.instances_path) / "_base"
    base.mkdir()
    for kind in ("part", "part2", "lock"):
        (base / f"{key}.{kind}").write_bytes(b"half")
    cache.fetch(None, IMAGE, GIB)
    assert kept(options) == ["json", "raw"]


def test_a_base_without_its_note_is_made_again(cache: ImageCache, door: Door) -> None:
    path = pathlib.Path(cache.fetch(None, IMAGE, GIB).path)
    path.with_suffix(".json").unlink()
    cache.fetch(None, IMAGE, GIB)
    path.unlink()
    cache.fetch(None, IMAGE, GIB)
    assert door.downloads == 3


# -- qcow2 ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def packed(door: Door, monkeypatch: pytest.MonkeyPatch) -> ImageMeta:
    """An image that was proven to be a harmless qcow2."""
    monkeypatch.setattr(images, "prove", lambda path, image, limit: images.Found("qcow2", MIB))
    return IMAGE.replace(disk_format="qcow2")


def test_unpacked_to_raw(cache: ImageCache, packed: ImageMeta, qemu_img: QemuImg, options: Options) -> None:
    base = cache.fetch(None, packed, GIB)
    assert (base.format, base.virtual_size) == ("raw", MIB)
    assert pathlib.Path(base.path).read_bytes() == b"unpacked"
    assert [argv[1] for argv in qemu_img.calls] == ["info", "convert"]
    assert kept(options) == ["json", "raw"]


def test_kept_as_it_is(options: Options, door: Door, packed: ImageMeta, qemu_img: QemuImg) -> None:
    base = ImageCache(replace(options, base_format="keep"), door).fetch(None, packed, GIB)
    assert base.format == "qcow2"
    assert pathlib.Path(base.path).read_bytes() == CONTENT
    assert [argv[1] for argv in qemu_img.calls] == ["info"]


@pytest.mark.parametrize(("hostile", "raised"), [(True, exception.ImageUnacceptable), (False, images.QemuImgError)])
def test_a_conversion_that_fails(
    cache: ImageCache, packed: ImageMeta, qemu_img: QemuImg, options: Options, hostile: bool, raised: type[Exception]
) -> None:
    qemu_img.fail = images.QemuImgError("/secret/path broke", hostile=hostile)
    with pytest.raises(raised) as caught:
        cache.fetch(None, packed, GIB)
    assert not hostile or "/secret" not in str(caught.value)
    assert kept(options) == []


# -- kernels and collection -------------------------------------------------------------------------------------------


def test_kernels_are_not_disks(cache: ImageCache, door: Door, qemu_img: QemuImg) -> None:
    path = cache.fetch_kernel(None, "kernel-1")
    assert cache.fetch_kernel(None, "kernel-1") == path
    assert door.downloads == 1
    assert qemu_img.calls == []
    assert pathlib.Path(path).read_bytes() == CONTENT


def test_a_disk_is_no_kernel(cache: ImageCache, door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "get", lambda ctxt, image_id: IMAGE.replace(disk_format="qcow2"))
    with pytest.raises(exception.ImageUnacceptable, match="kernel"):
        cache.fetch_kernel(None, "image-1")


def test_collect(cache: ImageCache, options: Options) -> None:
    old, used, fresh = (cache.fetch(None, IMAGE.replace(id=name), GIB).path for name in ("old", "used", "fresh"))
    past = time.time() - options.base_unused_hours * 3600 - 60
    litter = old.replace(".raw", "x.part")
    pathlib.Path(litter).write_bytes(b"of a kill long ago")
    for path in (old, used, litter):
        os.utime(path, (past, past))
    assert cache.collect(frozenset({used})) == [old]
    assert [os.path.exists(path) for path in (old, used, fresh)] == [False, True, True]
    assert not os.path.exists(old.replace(".raw", ".json"))
    assert kept(options) == ["json", "json", "raw", "raw"]


def test_collect_where_nothing_was_cached(options: Options, door: Door) -> None:
    assert ImageCache(options, door).collect(frozenset()) == []
