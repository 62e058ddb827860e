"""Hostile images against the real qemu-img and QEMU: refused, and nothing of the host is read."""

from __future__ import annotations

import os
import pathlib
import subprocess
import time
from typing import TYPE_CHECKING, Any

import pytest

from nova_lite import exception
from nova_lite.objects import Instance, Vif
from nova_lite.virt import images as image_rules
from tests.harness import hypervisor
from tests.harness.hypervisor import Images, make_server, wait_for_login

if TYPE_CHECKING:
    from nova_lite.virt.libvirt.driver import LibvirtDriver

pytestmark = [
    pytest.mark.timeout(180),
    pytest.mark.skipif(bool(hypervisor.impossible()), reason=f"no hypervisor: {hypervisor.impossible()}"),
]


def qemu_img(*arguments: object) -> None:
    subprocess.run(["qemu-img", *map(str, arguments)], check=True, capture_output=True)


def with_backing_file(path: pathlib.Path, secret: pathlib.Path) -> None:
    qemu_img("create", "-f", "qcow2", "-b", secret, "-F", "raw", path)


def with_data_file(path: pathlib.Path, secret: pathlib.Path) -> None:
    own = path.with_suffix(".data")
    qemu_img("create", "-f", "qcow2", "-o", f"data_file={own},data_file_raw=on", path, "1M")
    content = path.read_bytes()
    name = str(secret).encode()
    assert len(name) <= len(str(own)), "the secret's path must fit where the data file's was"
    path.write_bytes(content.replace(str(own).encode(), name.ljust(len(str(own)), b"\0")))
    own.unlink()


def of_ten_petabytes(path: pathlib.Path, secret: pathlib.Path) -> None:
    qemu_img("create", "-f", "qcow2", "-o", "cluster_size=2M", path, "10P")


def of_two_gigabytes(path: pathlib.Path, secret: pathlib.Path) -> None:
    qemu_img("create", "-f", "qcow2", path, "2G")


def flat_vmdk(path: pathlib.Path, secret: pathlib.Path) -> None:
    path.write_text(f'# Disk DescriptorFile\nversion=1\ncreateType="monolithicFlat"\nRW 8 FLAT "{secret}" 0\n' * 20)


HOSTILE = {
    "backing file": (with_backing_file, "qcow2", "names a backing file"),
    "backing file declared raw": (with_backing_file, "raw", "not of the declared"),
    "external data file": (with_data_file, "qcow2", "names an external data file"),
    "ten petabytes": (of_ten_petabytes, "qcow2", "above the limit"),
    "more than the flavor's disk": (of_two_gigabytes, "qcow2", "above the limit of 1 GiB"),
    "qcow2 declared raw": (of_two_gigabytes, "raw", "not of the declared"),
    "flat vmdk": (flat_vmdk, "vmdk", "'vmdk' is not supported"),
}


@pytest.fixture
def secret(tmp_path: pathlib.Path) -> pathlib.Path:
    """A file whose access time tells whether anybody read it."""
    path = tmp_path / "secret"
    path.write_bytes(b"root:x:0:0:" * 512)
    os.utime(path, (0, time.time()))
    descriptor = os.open(path, os.O_RDONLY)
    os.read(descriptor, 1)
    os.close(descriptor)
    if path.stat().st_atime == 0:
        pytest.skip("this file system keeps no access times: nobody could see a read")
    return path


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_image_reads_nothing(
    name: str, driver: LibvirtDriver, images: Images, secret: pathlib.Path, tmp_path: pathlib.Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    make, declared, reason = HOSTILE[name]
    path = tmp_path / "hostile"
    make(path, secret)
    server = make_server(images.add(path, declared))
    ran: list[Any] = []
    monkeypatch.setattr(image_rules, "run", lambda argv, limits: ran.append(argv))
    os.utime(secret, (0, time.time()))
    with pytest.raises(exception.ImageUnacceptable, match=reason) as caught:
        driver.create_disks(None, server)
    assert ran == [], "qemu-img saw it"
    assert secret.stat().st_atime == 0, "somebody read the secret"
    assert str(tmp_path) not in str(caught.value)
    assert not list((tmp_path / "instances" / "_base").iterdir())
    driver.delete_disks(server)


def test_what_a_guest_writes_is_never_taken_for_a_format(
    driver: LibvirtDriver, server: Instance, vifs: tuple[Vif, ...], secret: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    """A guest that writes a qcow2 header with a backing file into its raw disk gains nothing by a reboot."""
    flavor = server.flavor.replace(ephemeral_gb=1)
    assert server.image is not None
    victim = make_server(server.image, flavor=flavor)
    driver.create_disks(None, victim)
    try:
        hostile = tmp_path / "header"
        with_backing_file(hostile, secret)
        with open(tmp_path / "instances" / victim.uuid / "disk.ephemeral", "r+b") as disk:
            disk.write(hostile.read_bytes())
        os.utime(secret, (0, time.time()))
        driver.spawn(victim, vifs)
        wait_for_login(driver, victim)
        driver.reboot(victim, vifs, hard=True)
        wait_for_login(driver, victim, 2)
        assert secret.stat().st_atime == 0, "QEMU opened what the guest named"
    finally:
        driver.destroy(victim)
        driver.delete_disks(victim)


def test_qemu_img_is_held_to_its_limits(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "image"
    path.write_bytes(bytes(1 << 20))
    assert image_rules.run(image_rules.info_argv(str(path), "raw"), image_rules.Limits(1024, 30))
    with pytest.raises(image_rules.QemuImgError):
        image_rules.run(image_rules.info_argv(str(path), "raw"), image_rules.Limits(8, 30))
