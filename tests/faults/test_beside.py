"""What runs beside other actions (volumes and interfaces that come and go) while its server moves or is shelved."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from nova_lite.compute import actions
from nova_lite.db.api import instances, operations
from nova_lite.objects import BlockDevice
from tests.harness.cloud import ADMIN, CTXT, PROJECT, Cloud, until


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    with Cloud(tmp_path_factory.mktemp("cloud"), hosts=2) as running:
        yield running


@pytest.fixture(autouse=True)
def quiet(cloud: Cloud) -> Iterator[None]:
    """After each test nothing is delayed, and the oracle finds nothing wrong."""
    yield
    for driver in cloud.drivers.values():
        driver.plan.clear()
    cloud.wait_quiet(60)


def _home(cloud: Cloud, server: str) -> str:
    shown = cloud.show(server)
    assert shown is not None
    return str(shown["OS-EXT-SRV-ATTR:host"])


def _attach(cloud: Cloud, server: str) -> str:
    volume = cloud.volumes.make(CTXT)
    body = {"volumeAttachment": {"volumeId": volume}}
    assert cloud.post(f"/servers/{server}/os-volume_attachments", body).status == 202
    return volume


def _detach(cloud: Cloud, server: str, volume: str) -> None:
    assert cloud.delete(f"/servers/{server}/os-volume_attachments/{volume}").status == 202


def _status(cloud: Cloud, volume: str, *wanted: str) -> None:
    def status() -> str:
        return str(cloud.volumes.show(volume)["status"])

    until(lambda: status() in wanted, 20, lambda: f"volume {volume} is {status()}, not {wanted}")


def _began(cloud: Cloud, host: str, call: str, server: str) -> None:
    calls = cloud.drivers[host].plan.calls
    until(lambda: (call, server) in calls, 10, lambda: f"{call} never began")


def _busy_with(cloud: Cloud, server: str, action: str, call: str, body: Any = None) -> str:
    """Begin an action that holds the server on its host for a while; the host."""
    host = _home(cloud, server)
    cloud.drivers[host].plan.delay(call, 0.6)
    assert cloud.act(server, action, body, token=ADMIN).status == 202
    _began(cloud, host, call, server)
    return host


def _one_end(cloud: Cloud, server: str, action: str) -> str:
    """The state in which the server's only operation of that name ended."""

    def ended() -> str | None:
        (found,) = (each for each in operations.list_for_instance(server) if each.action == action)
        return None if found.finish_time is None else f"{found.state}: {found.message or ''}"

    return str(until(ended, 30, lambda: f"{action} never ended"))


def test_an_attach_that_waits_while_its_server_moves_goes_after_it(cloud: Cloud) -> None:
    server = cloud.boot()["id"]
    source = _busy_with(cloud, server, "migrate", "migrate_disk_and_power_off")
    # What the API accepts while nothing holds the server is accepted under it here: its row allows it.
    volume = _attach_beneath(cloud, server, source)
    cloud.wait(server, "VERIFY_RESIZE")
    dest = _home(cloud, server)
    assert dest != source
    _status(cloud, volume, "in-use")
    assert _one_end(cloud, server, "attach_volume") == "done: "
    cloud.wait_quiet()
    assert volume in cloud.drivers[dest].guests[server].volumes


def _attach_beneath(cloud: Cloud, server: str, host: str) -> str:
    """An attach whose acceptance came just before the move: written as it was then, for the host of then."""
    volume = cloud.volumes.make(CTXT)
    held = cloud.volumes.attachment_create(CTXT, volume, server)
    device = BlockDevice(
        "volume", "volume", uuid=volume, volume_id=volume, volume_size=1, device_name="/dev/vdb", bdm_uuid=volume,
        attachment_id=held,
    )  # fmt: skip
    present = instances.get(server).block_devices
    instances.update_if(server, {"block_devices": (*present, device)})
    operations.insert_pending(
        request_id="req-late", instance_uuid=server, action=actions.ATTACH_VOLUME.name, project_id=PROJECT,
        user_id="demo", topic="compute", host=host, args={"bdm_uuid": volume, "attachment_id": held}, timeout_s=60,
    )  # fmt: skip
    return volume


@pytest.mark.parametrize("offload", [True, False])
def test_a_server_is_shelved_while_a_volume_leaves_it(cloud: Cloud, offload: bool) -> None:
    server = cloud.boot()["id"]
    volume = _attach(cloud, server)
    _status(cloud, volume, "in-use")
    cloud.wait_quiet()
    cloud.drivers[_home(cloud, server)].plan.delay("detach_volume", 0.4)
    _detach(cloud, server, volume)
    assert cloud.act(server, "shelve").status == 202
    if offload:
        until(lambda: "SHELVED" in str((cloud.show(server) or {})["status"]), 20, lambda: "not shelved")
        cloud.act(server, "shelveOffload", token=ADMIN)
    cloud.wait(server, "SHELVED_OFFLOADED")
    _status(cloud, volume, "available")
    assert _one_end(cloud, server, "detach_volume") == "done: "


def test_a_server_is_shelved_while_the_detach_still_waits(cloud: Cloud) -> None:
    """The volume is marked as on its way out when the shelving moves its reservation."""
    server = cloud.boot()["id"]
    volume = _attach(cloud, server)
    _status(cloud, volume, "in-use")
    cloud.wait_quiet()
    host = _home(cloud, server)
    cloud.drivers[host].plan.delay("power_off", 0.6)
    assert cloud.act(server, "shelve").status == 202
    _began(cloud, host, "power_off", server)
    cloud.volumes.begin_detaching(CTXT, volume)
    operations.insert_pending(
        request_id="req-late", instance_uuid=server, action="detach_volume", project_id=PROJECT, user_id="demo",
        topic="compute", host=host, args={"bdm_uuid": _bdm(server, volume)}, timeout_s=None,
    )  # fmt: skip
    cloud.wait(server, "SHELVED_OFFLOADED")
    _status(cloud, volume, "available")
    assert _one_end(cloud, server, "detach_volume") == "done: "
    assert cloud.get(f"/servers/{server}/os-volume_attachments").json == {"volumeAttachments": []}


def _bdm(server: str, volume: str) -> str:
    return next(str(each.bdm_uuid) for each in instances.get(server).block_devices if each.volume_id == volume)


def test_an_attach_whose_server_is_shelved_meanwhile_is_reserved_for_it(cloud: Cloud) -> None:
    server = cloud.boot()["id"]
    host = _busy_with(cloud, server, "shelve", "power_off")
    volume = _attach_beneath(cloud, server, host)
    cloud.wait(server, "SHELVED_OFFLOADED")
    assert _one_end(cloud, server, "attach_volume") == "done: "
    _status(cloud, volume, "in-use")
    assert cloud.act(server, "unshelve").status == 202
    cloud.wait(server, "ACTIVE")
    assert volume in cloud.drivers[_home(cloud, server)].guests[server].volumes


def test_an_interface_leaves_while_its_server_is_shelved(cloud: Cloud) -> None:
    server = cloud.boot()["id"]
    host = _home(cloud, server)
    port = cloud.get(f"/servers/{server}/os-interface").json["interfaceAttachments"][0]["port_id"]
    cloud.drivers[host].plan.delay("detach_interface", 0.4)
    assert cloud.delete(f"/servers/{server}/os-interface/{port}").status == 202
    assert cloud.act(server, "shelve").status == 202
    cloud.wait(server, "SHELVED_OFFLOADED")
    assert _one_end(cloud, server, "detach_interface") == "done: "
    assert cloud.get(f"/servers/{server}/os-interface").json == {"interfaceAttachments": []}
