"""Volumes of a server that is there already: attached, detached, swapped, changed."""

from __future__ import annotations

import pathlib
from collections.abc import Iterator
from typing import Any

import pytest

from nova_lite.virt.fault_plan import FaultKind, FaultRule
from tests.harness.cloud import ADMIN, CTXT, IMAGE_ID, STRANGER, Answer, Cloud, until


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    with Cloud(tmp_path_factory.mktemp("cloud"), hosts=2) as running:
        yield running


@pytest.fixture(scope="module")
def server(cloud: Cloud) -> str:
    return str(cloud.boot()["id"])


@pytest.fixture(autouse=True)
def consistent(cloud: Cloud) -> Iterator[None]:
    """After each test the oracle finds nothing wrong."""
    yield
    cloud.volumes.plan.clear()
    for driver in cloud.drivers.values():
        driver.plan.clear()
    cloud.wait_quiet()


def attach(cloud: Cloud, server: str, volume: str, version: str = "2.96", **more: Any) -> Answer:
    body = {"volumeAttachment": {"volumeId": volume, **more}}
    return cloud.post(f"/servers/{server}/os-volume_attachments", body, version=version)


def attached(cloud: Cloud, server: str, volume: str, **more: Any) -> dict[str, Any]:
    """Attach it and wait until it is; what was answered."""
    answer = attach(cloud, server, volume, **more)
    assert answer.status == 200, answer.body
    wait(cloud, volume, "in-use")
    return dict(answer.json["volumeAttachment"])


def detached(cloud: Cloud, server: str, volume: str) -> None:
    path = f"/servers/{server}/os-volume_attachments/{volume}"
    assert cloud.delete(path).status == 202
    wait(cloud, volume, "available")
    until(lambda: cloud.get(path).status == 404, 5, lambda: "the server still has it")


def wait(cloud: Cloud, volume: str, status: str) -> None:
    def status_now() -> str:
        return str(cloud.volumes.show(volume)["status"])

    until(lambda: status_now() == status, 10, lambda: f"never {status}: {status_now()}")


def shown(cloud: Cloud, server: str, version: str = "2.96") -> list[dict[str, Any]]:
    return list(cloud.get(f"/servers/{server}/os-volume_attachments", version=version).json["volumeAttachments"])


def message(answer: Answer) -> tuple[int, str]:
    (inner,) = answer.json.values()
    return answer.status, inner["message"]


def test_a_volume_comes_and_goes(cloud: Cloud, server: str) -> None:
    volume = cloud.volumes.make(CTXT)
    answer = attached(cloud, server, volume, tag="data", delete_on_termination=True)
    assert answer == {
        "id": volume, "volumeId": volume, "serverId": server, "device": "/dev/vdb", "tag": "data",
        "delete_on_termination": True,
    }  # fmt: skip
    (host,) = (driver for driver in cloud.drivers.values() if server in driver.guests)
    until(lambda: volume in host.guests[server].volumes, 5, lambda: "no volume")
    assert pathlib.Path(host.guests[server].volumes[volume]).stat().st_size == 1 << 30
    (row,) = shown(cloud, server)
    assert set(row) == {
        "attachment_id", "bdm_uuid", "volumeId", "serverId", "device", "tag", "delete_on_termination",
    }  # fmt: skip
    assert set(shown(cloud, server, "2.1")[0]) == {"id", "volumeId", "serverId", "device"}
    events = cloud.get(f"/servers/{server}/os-instance-actions").json["instanceActions"]
    assert events[0]["action"] == "attach_volume"
    detached(cloud, server, volume)
    assert shown(cloud, server) == [] and volume not in host.guests[server].volumes


def test_from_2_101_the_answer_is_empty(cloud: Cloud, server: str) -> None:
    volume = cloud.volumes.make(CTXT)
    answer = attach(cloud, server, volume, version="2.101")
    assert (answer.status, answer.body) == (202, b"")
    wait(cloud, volume, "in-use")
    detached(cloud, server, volume)


def test_pages(cloud: Cloud, server: str) -> None:
    volumes = [cloud.volumes.make(CTXT) for _ in range(3)]
    names = [attached(cloud, server, volume)["device"] for volume in volumes]
    assert names == ["/dev/vdb", "/dev/vdc", "/dev/vdd"]
    path = f"/servers/{server}/os-volume_attachments"
    page = cloud.get(f"{path}?limit=1&offset=1").json["volumeAttachments"]
    assert [each["volumeId"] for each in page] == [volumes[1]]
    assert len(cloud.get(f"{path}?limit=0").json["volumeAttachments"]) == 3
    assert cloud.get(f"{path}?limit=-1").status == 400 and cloud.get(f"{path}?zzz=1").status == 400
    for volume in volumes:
        detached(cloud, server, volume)


def test_two_at_once_lose_nothing(cloud: Cloud, server: str) -> None:
    volumes = [cloud.volumes.make(CTXT) for _ in range(4)]
    for volume in volumes:
        assert attach(cloud, server, volume).status == 200
    for volume in volumes:
        wait(cloud, volume, "in-use")
    assert {each["volumeId"] for each in shown(cloud, server)} == set(volumes)
    cloud.wait_quiet()
    for volume in volumes:
        assert cloud.delete(f"/servers/{server}/os-volume_attachments/{volume}").status == 202
    for volume in volumes:
        wait(cloud, volume, "available")


def test_what_cannot_be_attached(cloud: Cloud, server: str) -> None:
    volume, other = cloud.volumes.make(CTXT), str(cloud.boot()["id"])
    missing = "6edbc2f4-1507-44f8-ac0d-eed1d2608d38"
    assert message(attach(cloud, server, missing)) == (404, f"Volume {missing} could not be found.")
    assert attach(cloud, server, "nonsense").status == 400
    assert attach(cloud, server, volume, device="/proc/x").status == 400
    assert attach(cloud, server, volume, version="2.1", tag="x").status == 400
    attached(cloud, server, volume)
    assert message(attach(cloud, server, volume)) == (400, f"Invalid volume: volume {volume} already attached")
    status, text = message(attach(cloud, other, volume))
    assert status == 400 and text.startswith("Invalid input received: Invalid volume: Volume")
    third = cloud.volumes.make(CTXT)
    assert message(attach(cloud, server, third, device="/dev/vdb")) == (
        409, "The supplied device path (/dev/vdb) is in use.",
    )  # fmt: skip
    cloud.act(server, "suspend")
    cloud.wait(server, "SUSPENDED")
    assert message(attach(cloud, server, third)) == (
        409, f"Cannot 'attach_volume' instance {server} while it is in vm_state suspended",
    )  # fmt: skip
    cloud.act(server, "resume")
    cloud.wait(server, "ACTIVE")
    detached(cloud, server, volume)


def test_what_cannot_be_detached(cloud: Cloud, server: str) -> None:
    volume = cloud.volumes.make(CTXT)
    path = f"/servers/{server}/os-volume_attachments/"
    assert message(cloud.delete(path + volume)) == (404, f"Instance {server} is not attached to volume {volume}")
    assert message(cloud.get(path + volume)) == (404, f"Instance {server} is not attached to volume {volume}")
    assert cloud.delete(path + volume, token=STRANGER).status == 404
    root = {"boot_index": 0, "uuid": IMAGE_ID, "source_type": "image", "destination_type": "volume", "volume_size": 1}
    booted = cloud.boot(imageRef="", block_device_mapping_v2=[root])
    (disk,) = booted["os-extended-volumes:volumes_attached"]
    answer = cloud.delete(f"/servers/{booted['id']}/os-volume_attachments/{disk['id']}")
    assert message(answer) == (400, "Cannot detach a root device volume")


def test_a_shared_volume(cloud: Cloud, server: str) -> None:
    other = str(cloud.boot()["id"])
    volume = cloud.volumes.make(CTXT, volume_type="multiattach")
    assert message(attach(cloud, server, volume, version="2.59")) == (
        400, "Multiattach volumes are only supported starting with compute API version 2.60.",
    )  # fmt: skip
    attached(cloud, server, volume)
    assert attach(cloud, other, volume).status == 200
    until(lambda: len(cloud.volumes.show(volume)["attachments"]) == 2, 5, lambda: "not shared")
    assert cloud.delete(f"/servers/{other}/os-volume_attachments/{volume}").status == 202
    wait(cloud, volume, "in-use")
    until(lambda: len(cloud.volumes.show(volume)["attachments"]) == 1, 5, lambda: "still shared")
    detached(cloud, server, volume)


def test_what_becomes_of_a_volume_can_be_changed(cloud: Cloud) -> None:
    server = str(cloud.boot()["id"])
    volume = cloud.volumes.make(CTXT)
    attached(cloud, server, volume)
    path = f"/servers/{server}/os-volume_attachments/{volume}"
    body = {"volumeAttachment": {"volumeId": volume, "delete_on_termination": True, "device": "/dev/vdb", "tag": None}}
    assert cloud.request("PUT", path, {"volumeAttachment": {"volumeId": volume, "tag": "x"}}).status == 400
    del body["volumeAttachment"]["tag"]
    assert cloud.request("PUT", path, body, version="2.84").status == 400
    assert cloud.request("PUT", path, body).status == 202
    assert shown(cloud, server)[0]["delete_on_termination"] is True
    cloud.delete(f"/servers/{server}")
    cloud.wait_gone(server)
    assert volume not in {each["id"] for each in cloud.volumes.rows("/volumes", "volumes")}


def test_a_volume_is_swapped_by_an_administrator(cloud: Cloud, server: str) -> None:
    old, new, small = cloud.volumes.make(CTXT), cloud.volumes.make(CTXT, 2), cloud.volumes.make(CTXT)
    attached(cloud, server, old, tag="data")
    path = f"/servers/{server}/os-volume_attachments/"
    body = {"volumeAttachment": {"volumeId": new}}
    assert cloud.request("PUT", path + old, body, version="2.1").status == 403
    answer = cloud.request("PUT", path + new, {"volumeAttachment": {"volumeId": small}}, token=ADMIN)
    assert message(answer) == (404, f"No volume Block Device Mapping with id {new}.")
    assert cloud.request("PUT", path + old, body, token=ADMIN, version="2.1").status == 202
    wait(cloud, new, "in-use")
    wait(cloud, old, "available")
    until(lambda: shown(cloud, server)[0]["volumeId"] == new, 5, lambda: "still the old one")
    (row,) = shown(cloud, server)
    assert (row["volumeId"], row["tag"], row["device"]) == (new, "data", "/dev/vdb")
    answer = cloud.request("PUT", path + new, {"volumeAttachment": {"volumeId": small}}, token=ADMIN)
    assert message(answer) == (400, "Invalid volume: New volume must be the same size or larger.")
    detached(cloud, server, new)


@pytest.mark.parametrize("call", ["attach_volume", "PUT /attachments"])
def test_a_failed_attach_leaves_nothing(cloud: Cloud, server: str, call: str) -> None:
    volume = cloud.volumes.make(CTXT)
    plans = [cloud.volumes.plan] if "/" in call else [driver.plan for driver in cloud.drivers.values()]
    for plan in plans:
        plan.add(FaultRule(call, FaultKind.RAISE, times=2))
    assert attach(cloud, server, volume).status == 200
    until(lambda: not shown(cloud, server), 10, lambda: "still there")
    wait(cloud, volume, "available")
    (action,) = cloud.get(f"/servers/{server}/os-instance-actions?limit=1").json["instanceActions"]
    assert action["action"] == "attach_volume" and action["message"].startswith("Action 'attach_volume' failed: ")


def test_a_guest_that_keeps_its_volume_keeps_it(cloud: Cloud, server: str) -> None:
    volume = cloud.volumes.make(CTXT)
    attached(cloud, server, volume)
    for driver in cloud.drivers.values():
        driver.plan.add(FaultRule("detach_volume", FaultKind.RAISE, times=1))
    assert cloud.delete(f"/servers/{server}/os-volume_attachments/{volume}").status == 202
    wait(cloud, volume, "in-use")
    cloud.wait_quiet()
    assert len(shown(cloud, server)) == 1
    detached(cloud, server, volume)


def test_a_volume_is_in_use_by_a_server_that_is_on_no_host(cloud: Cloud) -> None:
    """A shelved server takes a volume with it when it comes back, and gives it up before."""
    shelved = str(cloud.boot()["id"])
    volume, other = cloud.volumes.make(CTXT), cloud.volumes.make(CTXT)
    assert cloud.act(shelved, "shelve").status == 202
    cloud.wait(shelved, "SHELVED_OFFLOADED")
    attached(cloud, shelved, volume)
    attached(cloud, shelved, other)
    assert [each["server_id"] for each in cloud.volumes.show(volume)["attachments"]] == [shelved]
    detached(cloud, shelved, other)
    assert cloud.act(shelved, "unshelve").status == 202
    cloud.wait(shelved, "ACTIVE")
    assert cloud.volumes.show(volume)["status"] == "in-use"
    assert [each["volumeId"] for each in shown(cloud, shelved)] == [volume]
    detached(cloud, shelved, volume)
    assert cloud.delete(f"/servers/{shelved}").status == 204
    cloud.wait_gone(shelved)
