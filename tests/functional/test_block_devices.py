"""Servers with volumes from the beginning: booted from one, or with more than their root disk."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from nova_lite.db.api import instances
from nova_lite.virt.fault_plan import FaultKind, FaultRule
from tests.harness.cloud import CTXT, IMAGE_ID, PROJECT, STRANGER, Cloud, until


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    with Cloud(tmp_path_factory.mktemp("cloud"), hosts=2) as running:
        yield running


@pytest.fixture(autouse=True)
def consistent(cloud: Cloud) -> Iterator[None]:
    """After each test the oracle finds nothing wrong."""
    yield
    cloud.volumes.plan.clear()
    for driver in cloud.drivers.values():
        driver.plan.clear()
    cloud.wait_quiet()


def root(**values: Any) -> dict[str, Any]:
    device = {"boot_index": 0, "uuid": IMAGE_ID, "source_type": "image", "destination_type": "volume", "volume_size": 1}
    return device | values


def attached(cloud: Cloud, server: dict[str, Any]) -> dict[str, str]:
    """What the hypervisor gave the guest: volume ids and places."""
    return dict(cloud.drivers[server["OS-EXT-SRV-ATTR:host"]].guests[server["id"]].volumes)


def refused(cloud: Cloud, devices: list[dict[str, Any]], version: str = "2.96", **server: Any) -> str:
    body = {"name": "web", "flavorRef": "42", "networks": "auto", "block_device_mapping_v2": devices, **server}
    answer = cloud.post("/servers", {"server": body}, version=version)
    assert answer.status == 400, answer.body
    return str(answer.json["badRequest"]["message"])


def test_a_server_boots_from_a_volume_made_of_an_image(cloud: Cloud) -> None:
    blank = {"source_type": "blank", "destination_type": "volume", "volume_size": 2}
    devices = [root(delete_on_termination=True), blank]
    server = cloud.boot(imageRef="", block_device_mapping_v2=devices)
    assert server["image"] == ""
    assert server["OS-EXT-SRV-ATTR:root_device_name"] == "/dev/vda"
    shown = server["os-extended-volumes:volumes_attached"]
    assert [each["delete_on_termination"] for each in shown] == [True, False]
    assert attached(cloud, server).keys() == {each["id"] for each in shown}
    first, second = (cloud.volumes.show(each["id"]) for each in shown)
    assert (first["status"], first["bootable"], second["size"]) == ("in-use", "true", 2)
    assert first["volume_image_metadata"]["image_id"] == IMAGE_ID
    assert first["attachments"][0]["server_id"] == server["id"] and first["attachments"][0]["device"] == "/dev/vda"
    assert instances.get(server["id"]).disk_gb == 0
    cloud.delete(f"/servers/{server['id']}")
    cloud.wait_gone(server["id"])
    left = {each["id"]: each["status"] for each in cloud.volumes.rows("/volumes/detail", "volumes")}
    assert first["id"] not in left and left[second["id"]] == "available"


def test_a_server_boots_from_a_volume_of_its_user(cloud: Cloud) -> None:
    volume = cloud.volumes.make(CTXT, image_id=IMAGE_ID)
    mapping = [{"device_name": "vda", "volume_id": volume, "delete_on_termination": "0"}]
    server = cloud.boot(imageRef="", block_device_mapping=mapping)
    assert server["image"] == "" and set(attached(cloud, server)) == {volume}
    message = refused(cloud, [root(uuid=volume, source_type="volume")])
    assert message.startswith("Invalid volume: Invalid input received: Invalid volume: Volume")
    assert message.endswith("but the current status is in-use.")
    cloud.delete(f"/servers/{server['id']}")
    cloud.wait_gone(server["id"])
    assert cloud.volumes.show(volume)["status"] == "available"


def test_a_server_boots_from_a_snapshot(cloud: Cloud) -> None:
    volume = cloud.volumes.make(CTXT, image_id=IMAGE_ID)
    snapshot = cloud.volumes.create_snapshot(CTXT, volume, "snap").id
    until(lambda: cloud.volumes.get_snapshot(CTXT, snapshot).status == "available", 5, lambda: "no snapshot")
    device = root(uuid=snapshot, source_type="snapshot", volume_size=None, delete_on_termination=True)
    del device["volume_size"]
    server = cloud.boot(imageRef="", block_device_mapping_v2=[device])
    (made,) = attached(cloud, server)
    assert made != volume and cloud.volumes.show(made)["snapshot_id"] == snapshot


@pytest.mark.parametrize(
    ("devices", "server", "text"),
    [
        ([root(boot_index=1)], {}, "Boot sequence for the instance and image/block device mapping"),
        ([root(volume_size=None)], {}, "Images with destination_type 'volume' need to have a non-zero size specified"),
        ([root(destination_type="local")], {}, "Mapping image to local is not supported."),
        ([root(disk_bus="warp")], {}, "Block Device Mapping is Invalid: The disk_bus warp is not valid"),
        ([root(volume_type="gold")], {}, "Volume type gold could not be found."),
        ([root(uuid=PROJECT, source_type="volume")], {}, f"failed to get volume {PROJECT}."),
        ([root(uuid=PROJECT, source_type="snapshot")], {}, f"failed to get snapshot {PROJECT}."),
        ([root(uuid=PROJECT)], {}, f"failed to get image {PROJECT}."),
        ([root(), {"source_type": "blank", "destination_type": "volume"}], {}, "Blank volumes (source: 'blank'"),
        ([root(), {"source_type": "blank", "destination_type": "local", "volume_size": 9}], {}, "Ephemeral disks"),
        ([root(), {"source_type": "blank", "guest_format": "swap", "volume_size": 9}], {}, "Swap drive requested is"),
    ],
)  # fmt: skip
def test_a_mapping_that_cannot_be(cloud: Cloud, devices: list[dict[str, Any]], server: Any, text: str) -> None:
    devices = [{key: value for key, value in each.items() if value is not None} for each in devices]
    assert text in refused(cloud, devices, **server)


def test_a_volume_that_is_not_bootable_or_not_mine(cloud: Cloud) -> None:
    volume = cloud.volumes.make(CTXT)
    assert refused(cloud, [root(uuid=volume, source_type="volume")]) == f"Block Device {volume} is not bootable."
    body = {"name": "x", "flavorRef": "42", "networks": "auto", "imageRef": IMAGE_ID,
            "block_device_mapping": [{"volume_id": volume}]}  # fmt: skip
    answer = cloud.post("/servers", {"server": body}, token=STRANGER)
    assert answer.status == 400 and f"failed to get volume {volume}." in answer.json["badRequest"]["message"]


def test_a_cloud_without_volumes_says_so(cloud: Cloud) -> None:
    cloud.volumes.is_there = False
    try:
        body = {"name": "web", "flavorRef": "42", "networks": "auto", "block_device_mapping_v2": [root()]}
        answer = cloud.post("/servers", {"server": body})
    finally:
        cloud.volumes.is_there = True
    assert answer.status == 503, answer.body
    assert "The catalogue has no volume service" in answer.json["serviceUnavailable"]["message"]


def test_what_is_refused_leaves_no_volume(cloud: Cloud) -> None:
    before = len(cloud.volumes.rows("/volumes", "volumes"))
    cloud.volumes.plan.add(FaultRule("POST /attachments", FaultKind.RAISE, times=1))
    volume = cloud.volumes.make(CTXT)
    devices = [root(), {"source_type": "volume", "destination_type": "volume", "uuid": volume}]
    body = {"name": "web", "flavorRef": "42", "networks": "auto", "block_device_mapping_v2": devices}
    assert cloud.post("/servers", {"server": body}).status == 503
    until(lambda: len(cloud.volumes.rows("/volumes", "volumes")) == before + 1, 5, lambda: "a volume is left")


def test_a_failed_build_keeps_no_hold(cloud: Cloud) -> None:
    volume = cloud.volumes.make(CTXT, image_id=IMAGE_ID)
    for driver in cloud.drivers.values():
        driver.plan.add(FaultRule("spawn", FaultKind.RAISE))
    device = root(uuid=volume, source_type="volume")
    server = cloud.boot(imageRef="", wait="ERROR", block_device_mapping_v2=[device])
    assert cloud.volumes.show(volume)["status"] == "available"
    cloud.delete(f"/servers/{server['id']}")
    cloud.wait_gone(server["id"])


def test_a_build_that_goes_to_another_host_takes_its_volumes_along(cloud: Cloud) -> None:
    for driver in cloud.drivers.values():
        driver.plan.add(FaultRule("spawn", FaultKind.RAISE, times=1))
        break
    servers = [cloud.boot(imageRef="", block_device_mapping_v2=[root(delete_on_termination=True)]) for _ in range(2)]
    for server in servers:
        (volume,) = attached(cloud, server)
        (hold,) = cloud.volumes.show(volume)["attachments"]
        assert hold["host_name"] == server["OS-EXT-SRV-ATTR:host"]
