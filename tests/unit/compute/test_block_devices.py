"""From the devices of a create body to those of a server."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import pytest

from nova_lite import exception
from nova_lite.compute import block_devices
from nova_lite.context import RequestContext
from nova_lite.objects import BlockDevice, ImageMeta, ServerRequest
from nova_lite.volume.meta import Snapshot, Volume
from tests.harness.builders import make_flavor

CTXT = RequestContext(overwrite=False)
IMAGE = ImageMeta(id="image", min_disk=1)
ROOT = BlockDevice("image", "volume", boot_index=0, uuid="image", volume_size=2)


@dataclass
class Lookups:
    """A cloud with one image, one bootable volume and its snapshot."""

    images: dict[str, ImageMeta] = field(default_factory=lambda: {"image": IMAGE})
    volumes: dict[str, Volume] = field(
        default_factory=lambda: {
            "volume": Volume("volume", "available", 3, bootable=True, image_metadata={"image_id": "image", "os": "x"}),
            "shared": Volume("shared", "available", 3, multiattach=True),
        }
    )

    def image(self, ctxt: RequestContext, image_ref: str) -> ImageMeta:
        if image_ref not in self.images:
            raise exception.ImageNotFound(image_id=image_ref)
        return self.images[image_ref]

    def volume(self, ctxt: RequestContext, volume_id: str) -> Volume:
        if volume_id not in self.volumes:
            raise exception.VolumeNotFound(volume_id=volume_id)
        return self.volumes[volume_id]

    def snapshot(self, ctxt: RequestContext, snapshot_id: str) -> Snapshot:
        if snapshot_id != "snapshot":
            raise exception.SnapshotNotFound(snapshot_id=snapshot_id)
        return Snapshot("snapshot", "available", 3, "volume")

    def has_volume_type(self, ctxt: RequestContext, name: str) -> bool:
        return name == "fast"


def _plan(*devices: BlockDevice, image: str = "", **request: Any) -> block_devices.Disks:
    asked = ServerRequest("n", "f", image_ref=image, block_devices=devices, **request)
    return block_devices.plan(CTXT, asked, make_flavor(ephemeral_gb=2, swap_mb=64), Lookups())


def test_an_image_alone_is_a_local_disk() -> None:
    disks = _plan(image="image")
    assert (disks.image_ref, disks.devices, disks.root) == ("image", (), None)


def test_the_image_mapping_that_clients_insert_is_the_same() -> None:
    local = BlockDevice("image", "local", boot_index=0, uuid="image")
    disks = _plan(local, BlockDevice("volume", "volume", volume_id="volume", uuid="volume"), image="image")
    assert disks.image_ref == "image" and disks.root is None
    (data,) = disks.devices
    assert (data.volume_size, data.device_name) == (3, "/dev/vdd")  # after the flavor's ephemeral disk and swap


def test_a_volume_of_an_image_boots() -> None:
    disks = _plan(ROOT)
    assert disks.image_ref == "" and disks.image is IMAGE
    assert disks.root is not None and disks.devices[0].device_name == "/dev/vda"


@pytest.mark.parametrize(
    "device",
    [
        BlockDevice("volume", "volume", boot_index=0, uuid="volume", volume_id="volume"),
        BlockDevice("snapshot", "volume", boot_index=0, uuid="snapshot"),
    ],
)
def test_a_volume_remembers_its_image(device: BlockDevice) -> None:
    disks = _plan(device)
    assert (disks.image.id, disks.image.properties, disks.image_ref) == ("image", {"os": "x"}, "")
    assert disks.devices[0].volume_size == 3


def test_an_image_of_volumes_brings_its_devices_along() -> None:
    rows = [
        {"source_type": "snapshot", "destination_type": "volume", "snapshot_id": "snapshot", "boot_index": 0,
         "device_name": "/dev/vda", "volume_size": 3},
        {"source_type": "snapshot", "destination_type": "volume", "snapshot_id": "snapshot", "device_name": "/dev/vdb"},
        {"no_device": True},
    ]  # fmt: skip
    image = ImageMeta(id="shot", properties={"block_device_mapping": json.dumps(rows), "bdm_v2": "True"})
    found = block_devices.of_image(image)
    assert [(device.uuid, device.boot_index) for device in found] == [("snapshot", 0), ("snapshot", None)]
    local = BlockDevice("image", "local", boot_index=0, uuid="shot")
    mine = BlockDevice("blank", "volume", volume_size=1, device_name="vdb")
    assert block_devices.merged(found, (local, mine)) == (found[0], mine)


@pytest.mark.parametrize(
    "text", ["nonsense", "[1]", '[{"boot_index": 0}]', '[{"source_type": "image", "boot_index": "x"}]']
)
def test_an_unreadable_mapping_of_an_image_is_a_400(text: str) -> None:
    with pytest.raises(exception.InvalidBlockDevice):
        block_devices.of_image(ImageMeta(id="shot", properties={"block_device_mapping": text}))


BLANK = BlockDevice("blank", "local")


@pytest.mark.parametrize(
    ("devices", "text"),
    [
        ((ROOT, ROOT), "Boot sequence"),
        ((ROOT, ROOT.replace(boot_index=2)), "Boot sequence"),
        ((BLANK,), "Boot sequence"),
        ((ROOT, BLANK.replace(volume_size=3)), "Ephemeral disks requested"),
        ((ROOT, BLANK, BLANK), "Ephemeral disks requested"),
        ((ROOT, BLANK.replace(guest_format="swap", volume_size=65)), "Swap drive requested"),
        ((ROOT, *(BLANK.replace(guest_format="swap", volume_size=1),) * 2), "More than one swap drive requested."),
        ((ROOT, *(BLANK.replace(volume_size=0),) * 4), "Ephemeral disks"),
        ((ROOT.replace(volume_type="slow"),), "Volume type slow could not be found."),
        ((ROOT, BLANK.replace(volume_type="fast")), "Specifying a volume_type with destination_type=local"),
        ((BlockDevice("volume", "volume", 0, "volume", "volume", volume_type="fast"),), "Specifying volume type to"),
        ((BlockDevice("volume", "volume", 0, "shared", "shared"),), "Block Device shared is not bootable."),
        ((ROOT, *(BlockDevice("volume", "volume", None, "volume", "volume"),) * 2), "volume volume is given more than"),
        ((ROOT, BlockDevice("snapshot", "volume", uuid="x")), "failed to get snapshot x."),
    ],
)
def test_what_cannot_be(devices: tuple[BlockDevice, ...], text: str) -> None:
    with pytest.raises(exception.Invalid, match=text):
        _plan(*devices)


def test_one_volume_is_for_one_server_unless_it_is_shared() -> None:
    with pytest.raises(exception.Invalid, match="Cannot attach one or more volumes to multiple instances"):
        _plan(ROOT, BlockDevice("volume", "volume", uuid="volume", volume_id="volume"), max_count=2)
    shared = BlockDevice("volume", "volume", uuid="shared", volume_id="shared")
    assert _plan(ROOT, shared, max_count=2).devices[1].multiattach
    with pytest.raises(exception.MultiattachTooEarly):
        _plan(ROOT, shared, multiattach=False)


@pytest.mark.parametrize(
    ("first", "second", "said"),
    [
        ({"device_name": "/dev/vdb"}, {"device_name": "vdb"}, "The device name /dev/vdb is given more than once."),
        ({"tag": "db"}, {"tag": "db"}, "The tag db is given more than once."),
    ],
)
def test_what_a_guest_finds_its_disks_by_is_given_once(
    first: dict[str, str], second: dict[str, str], said: str
) -> None:
    devices = [BlockDevice("blank", "volume", volume_size=1, **named) for named in (first, second)]
    with pytest.raises(exception.InvalidBlockDevice, match=f"Block Device Mapping is Invalid: {said}"):
        _plan(ROOT, *devices)


def test_local_disks_are_limited() -> None:
    devices = (ROOT, *(BLANK.replace(guest_format="ext4", volume_size=None),) * 4)
    with pytest.raises(exception.InvalidBlockDevice, match="more local devices than the limit"):
        block_devices.check_shape(devices, make_flavor(ephemeral_gb=0))
