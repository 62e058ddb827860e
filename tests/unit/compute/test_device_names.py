"""Names of disks as a guest sees them."""

from __future__ import annotations

import pytest

from nova_lite import exception
from nova_lite.compute import device_names
from nova_lite.objects import BlockDevice, Instance
from tests.harness.builders import make_flavor


def _instance(*names: str, **flavor: int) -> Instance:
    devices = tuple(BlockDevice("volume", "volume", device_name=name) for name in names)
    made = make_flavor(**flavor)
    return Instance("u", "p", "u", "n", "active", made, root_device_name="/dev/vda", block_devices=devices)


@pytest.mark.parametrize(
    ("properties", "wanted", "name"),
    [
        ({}, None, "/dev/vda"),
        ({"hw_disk_bus": "scsi"}, None, "/dev/sda"),
        ({"hw_disk_bus": "ide"}, None, "/dev/hda"),
        ({"hw_disk_bus": "nonsense"}, None, "/dev/vda"),
        ({"root_device_name": "/dev/xvda1"}, None, "/dev/xvda1"),
        ({"root_device_name": "/dev/xvda1"}, "sda", "/dev/sda"),
    ],
)
def test_of_root(properties: dict[str, str], wanted: str | None, name: str) -> None:
    assert device_names.of_root(properties, wanted) == name


def test_the_first_free_name() -> None:
    assert device_names.following("/dev/vda", []) == "/dev/vdb"
    assert device_names.following("/dev/xvda", ["/dev/xvdb"]) == "/dev/xvdc"
    letters = [f"/dev/vd{letter}" for letter in "abcdefghijklmnopqrstuvwxyz"]
    assert device_names.following("/dev/vda", letters) == "/dev/vdaa"
    every = [*letters, *(f"/dev/vd{a}{b}" for a in "abcdefghijklmnopqrstuvwxyz" for b in "abcdefghijklmnopqrstuvwxyz")]
    with pytest.raises(exception.Invalid):
        device_names.following("/dev/vda", every)


def test_devices_get_names_after_the_flavors_local_disks() -> None:
    devices = (
        BlockDevice("image", "volume", boot_index=0),
        BlockDevice("blank", "volume", device_name="vdd"),
        BlockDevice("blank", "volume"),
        BlockDevice("blank", "volume"),
    )
    named = device_names.assign(devices, "/dev/vda", make_flavor(ephemeral_gb=1))
    assert [device.device_name for device in named] == ["/dev/vda", "/dev/vdd", "/dev/vdc", "/dev/vde"]


def test_for_attach() -> None:
    assert device_names.for_attach(_instance(), None) == "/dev/vdb"
    assert device_names.for_attach(_instance("/dev/vdb", swap_mb=64), None) == "/dev/vdd"
    assert device_names.for_attach(_instance(), "sdx") == "/dev/sdx"
    with pytest.raises(exception.DevicePathInUse, match="/dev/vda"):
        device_names.for_attach(_instance(), "vda")
    with pytest.raises(exception.InvalidDevicePath):
        device_names.for_attach(_instance(), "/proc/self")
