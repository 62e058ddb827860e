"""What ends in the middle while its host is at it: guest, row and neighbours agree afterwards, whoever ended it."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from typing import Any

import pytest

from nova_lite import exception
from nova_lite.conductor.tasks import recover
from nova_lite.db import clock, session
from nova_lite.db.api import operations
from nova_lite.db.api.operation_rows import TABLE
from nova_lite.objects import Operation, OperationState
from tests.harness.cloud import ADMIN, CTXT, Cloud, until

LATE_S = 0.8


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    with Cloud(tmp_path_factory.mktemp("cloud"), options={"operations": {"lease_s": 1.5}}) as running:
        yield running


@pytest.fixture
def cloud(shared: Cloud) -> Iterator[Cloud]:
    yield shared
    shared.drivers["host1"].plan.clear()
    shared.delete_servers()
    shared.wait_quiet()


def _began(cloud: Cloud, call: str, server: str) -> None:
    calls = cloud.drivers["host1"].plan.calls
    until(lambda: (call, server) in calls, 10, lambda: f"{call} never began")


def _newest(server: str, action: str) -> Operation:
    return next(each for each in operations.list_for_instance(server) if each.action == action)


def _end(cloud: Cloud, how: str, server: str, action: str) -> None:
    """End the server's newest operation of that name, whose worker is in the hypervisor."""
    found = _newest(server, action)
    if how == "reset":
        assert cloud.act(server, "os-resetState", {"state": "active"}, token=ADMIN).status == 202
    elif how == "cancel":
        recover.cancelled(found)
    else:
        past = clock.now() - datetime.timedelta(seconds=60)
        with session.writer() as transaction:
            transaction.execute(TABLE.update().where(TABLE.c.id == found.id).values(deadline=past))
    until(
        lambda: (now := operations.get(found.id)).finish_time is not None or now.args.get("stage") == "undo", 10,
        lambda: f"still open: {operations.get(found.id)}",
    )  # fmt: skip


def _attached(cloud: Cloud, server: str) -> str:
    volume = cloud.volumes.make(CTXT)
    body = {"volumeAttachment": {"volumeId": volume}}
    assert cloud.post(f"/servers/{server}/os-volume_attachments", body).status == 202
    until(lambda: cloud.volumes.show(volume)["status"] == "in-use", 20, lambda: "the volume is not attached")
    cloud.wait_quiet()
    return volume


@pytest.mark.parametrize("how", ["deadline", "cancel", "reset"])
@pytest.mark.parametrize("before", ["ACTIVE", "SHUTOFF"])
def test_a_rescue_that_is_late_is_what_the_server_shows(cloud: Cloud, how: str, before: str) -> None:
    """Whose user may end it, then."""
    server, driver = cloud.boot()["id"], cloud.drivers["host1"]
    if before == "SHUTOFF":
        assert cloud.act(server, "os-stop").status == 202
        cloud.wait(server, "SHUTOFF")
    driver.plan.delay("rescue", LATE_S)
    assert cloud.act(server, "rescue", {}).status == 200
    _began(cloud, "rescue", server)
    _end(cloud, how, server, "rescue")
    shown = cloud.wait(server, "RESCUE")
    assert (driver.guests[server].rescue_image is not None, shown["OS-EXT-STS:power_state"]) == (True, 1)
    assert _newest(server, "rescue").state is OperationState.FAILED
    cloud.wait_quiet()
    assert cloud.act(server, "unrescue").status == 202
    cloud.wait(server, "ACTIVE")


def test_a_reset_says_nothing_of_what_a_guest_boots_from(cloud: Cloud) -> None:
    """The guest still has the rescue's disk; its server shows that when somebody looks."""
    server, driver = cloud.boot()["id"], cloud.drivers["host1"]
    assert cloud.act(server, "rescue", {}).status == 200
    cloud.wait(server, "RESCUE")
    assert cloud.act(server, "os-resetState", {"state": "active"}, token=ADMIN).status == 202
    cloud.services["host1"].manager._sync_power_states()  # type: ignore[attr-defined]
    cloud.wait(server, "RESCUE")
    driver.plan.delay("unrescue", LATE_S)
    assert cloud.act(server, "unrescue").status == 202
    _began(cloud, "unrescue", server)
    _end(cloud, "reset", server, "unrescue")
    until(lambda: driver.guests[server].rescue_image is None, 10, lambda: "it was not done")
    cloud.wait(server, "ACTIVE")
    cloud.wait_quiet()


@pytest.mark.parametrize("how", ["cancel", "reset"])
def test_a_swap_that_is_ended_follows_its_guest(cloud: Cloud, how: str) -> None:
    server, driver = cloud.boot()["id"], cloud.drivers["host1"]
    old, new = _attached(cloud, server), cloud.volumes.make(CTXT)
    path = f"/servers/{server}/os-volume_attachments"
    driver.plan.delay("swap_volume", LATE_S)
    assert cloud.request("PUT", f"{path}/{old}", {"volumeAttachment": {"volumeId": new}}, token=ADMIN).status == 202
    _began(cloud, "swap_volume", server)
    if how == "cancel":
        _end(cloud, how, server, "swap_volume")
        with pytest.raises(exception.Conflict):
            recover.cancelled(_newest(server, "swap_volume"))
    else:
        assert cloud.act(server, "os-resetState", {"state": "active"}, token=ADMIN).status == 202
    until(lambda: _newest(server, "swap_volume").finish_time is not None, 20, lambda: "it does not end")
    cloud.wait_quiet()
    assert [*driver.guests[server].volumes] == [new]
    assert [each["volumeId"] for each in cloud.get(path).json["volumeAttachments"]] == [new]
    assert (cloud.volumes.show(new)["status"], cloud.volumes.show(old)["status"]) == ("in-use", "available")


@pytest.mark.parametrize("how", ["cancel", "reset"])
def test_nobody_stops_a_detach(cloud: Cloud, how: str) -> None:
    server, driver = cloud.boot()["id"], cloud.drivers["host1"]
    volume = _attached(cloud, server)
    path = f"/servers/{server}/os-volume_attachments"
    driver.plan.delay("detach_volume", LATE_S)
    assert cloud.delete(f"{path}/{volume}").status == 202
    _began(cloud, "detach_volume", server)
    if how == "cancel":
        with pytest.raises(exception.Conflict):
            recover.cancelled(_newest(server, "detach_volume"))
    else:
        assert cloud.act(server, "os-resetState", {"state": "active"}, token=ADMIN).status == 202
    until(lambda: _newest(server, "detach_volume").finish_time is not None, 20, lambda: "it does not end")
    facts: list[Any] = [*driver.guests[server].volumes, *cloud.get(path).json["volumeAttachments"]]
    assert (facts, cloud.volumes.show(volume)["status"]) == ([], "available")
    cloud.wait_quiet()


@pytest.mark.parametrize("state", ["active", "error"])
def test_an_unshelving_that_is_reset_leaves_its_server_on_the_shelf(cloud: Cloud, state: str) -> None:
    """It can be unshelved again, with its volume and its port."""
    server, driver = cloud.boot()["id"], cloud.drivers["host1"]
    volume = _attached(cloud, server)
    assert cloud.act(server, "shelve").status == 202
    cloud.wait(server, "SHELVED_OFFLOADED")
    cloud.wait_quiet()
    driver.plan.delay("spawn", LATE_S)
    before = driver.plan.calls.count(("spawn", server))
    assert cloud.act(server, "unshelve").status == 202
    until(lambda: driver.plan.calls.count(("spawn", server)) > before, 10, lambda: "it never began")
    assert cloud.act(server, "os-resetState", {"state": state}, token=ADMIN).status == 202
    until(lambda: server not in driver.guests and server not in driver.disks, 10, lambda: "its guest is on the host")
    cloud.wait_quiet()
    assert {port["binding:host_id"] for port in cloud.networks.ports_of(server)} <= {None, ""}
    driver.plan.clear()
    if state == "error":
        assert cloud.act(server, "os-resetState", {"state": "active"}, token=ADMIN).status == 202
    cloud.wait(server, "SHELVED_OFFLOADED")
    assert cloud.act(server, "unshelve").status == 202
    cloud.wait(server, "ACTIVE")
    assert [*driver.guests[server].volumes] == [volume]
    cloud.wait_quiet()
