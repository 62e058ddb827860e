"""Operations whose time is up while their worker is still at it, and hypervisors that never answer (R22)."""

from __future__ import annotations

import datetime
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from nova_lite.db import clock, session
from nova_lite.db.api import operations, services
from nova_lite.db.api.operation_rows import TABLE
from nova_lite.liveness import COMPUTE
from nova_lite.objects import OperationState
from nova_lite.virt.fault_plan import FaultKind, FaultRule
from tests.harness.cloud import ADMIN, CTXT, IMAGE_ID, Cloud, until

LATE = "It was not done before its deadline."


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    with Cloud(tmp_path_factory.mktemp("cloud"), options={"operations": {"lease_s": 1.5}}) as running:
        yield running


@pytest.fixture(autouse=True)
def quiet(cloud: Cloud) -> Iterator[None]:
    yield
    cloud.drivers["host1"].plan.clear()
    cloud.wait_quiet(60)


def _began(cloud: Cloud, call: str, server: str) -> None:
    calls = cloud.drivers["host1"].plan.calls
    until(lambda: (call, server) in calls, 10, lambda: f"{call} never began")


def _overdue(server: str, action: str) -> int:
    """The time of its newest operation of that name is up."""
    found = next(each for each in operations.list_for_instance(server) if each.action == action)
    past = clock.now() - datetime.timedelta(seconds=60)
    with session.writer() as transaction:
        transaction.execute(TABLE.update().where(TABLE.c.id == found.id).values(deadline=past))
    return found.id


def _ended(number: int) -> None:
    until(
        lambda: operations.get(number).finish_time is not None, 10, lambda: f"still open: {operations.get(number)}"
    )
    found = operations.get(number)
    assert (found.state, found.message) == (OperationState.FAILED, LATE)


CASES: dict[str, tuple[str, str, Any, str]] = {
    # the driver's call that takes too long, the operation, the action's body, the status in the end
    "os-stop": ("power_off", "stop", None, "ACTIVE"),
    "pause": ("pause", "pause", None, "ACTIVE"),
    "createImage": ("snapshot", "createImage", {"name": "late"}, "ACTIVE"),
    "shelve": ("snapshot", "shelve", None, "ACTIVE"),
}


@pytest.mark.parametrize("key", CASES)
def test_who_is_late_writes_nothing_and_takes_back_what_it_did(cloud: Cloud, key: str) -> None:
    """Images of a late snapshot go, too; a guest that was changed all the same is found by the power sync."""
    call, action, body, _ = CASES[key]
    server = cloud.boot()["id"]
    cloud.drivers["host1"].plan.delay(call, 1.2)
    before = set(cloud.images.images)
    assert cloud.act(server, key, body).status in (200, 202)
    _began(cloud, call, server)
    _ended(_overdue(server, action))
    shown = cloud.show(server)
    assert shown is not None and shown["OS-EXT-STS:task_state"] is None
    cloud.drivers["host1"].plan.clear()
    cloud.wait_quiet(30)
    until(lambda: set(cloud.images.images) == before, 20, lambda: "an image is left")
    again = cloud.show(server)
    assert again is not None and again["status"] in ("ACTIVE", "SHUTOFF", "PAUSED")
    cloud.delete(f"/servers/{server}")
    cloud.wait_gone(server)


def test_a_build_that_is_late_leaves_no_guest(cloud: Cloud) -> None:
    cloud.drivers["host1"].plan.delay("spawn", 1.2)
    server = cloud.boot(wait=None)["id"]
    _began(cloud, "spawn", server)
    _ended(_overdue(server, "create"))
    assert cloud.wait(server, "ERROR")["fault"]["message"] == LATE
    until(lambda: server not in cloud.drivers["host1"].guests, 10, lambda: "its guest runs")
    cloud.delete(f"/servers/{server}")
    cloud.wait_gone(server)


def test_a_build_that_is_late_on_a_dead_host_leaves_no_port_and_no_volume_held(cloud: Cloud) -> None:
    volume = cloud.volumes.make(CTXT)
    cloud.drivers["host1"].plan.delay("spawn", 1.2)
    disk = {"uuid": volume, "source_type": "volume", "destination_type": "volume", "boot_index": -1}
    local = {"uuid": IMAGE_ID, "source_type": "image", "destination_type": "local", "boot_index": 0}
    server = cloud.boot(wait=None, block_device_mapping_v2=[local, disk])["id"]
    _began(cloud, "spawn", server)
    cloud.kill("host1")
    try:
        assert cloud.networks.ports_of(server) and cloud.volumes.show(volume)["status"] == "in-use"
        _ended(_overdue(server, "create"))
        assert (cloud.networks.ports_of(server), cloud.volumes.show(volume)["status"]) == ([], "available")
        assert cloud.wait(server, "ERROR")["fault"]["message"] == LATE
    finally:
        driver = cloud.start_host("host1")
    until(lambda: server not in driver.guests, 10, lambda: "its guest runs")
    cloud.delete(f"/servers/{server}")
    cloud.wait_gone(server)


@pytest.mark.parametrize("works", [True, False])
def test_an_attach_that_is_late_holds_no_volume(cloud: Cloud, works: bool) -> None:
    server, volume = cloud.boot()["id"], cloud.volumes.make(CTXT)
    cloud.drivers["host1"].plan.delay("attach_volume", 1.2)
    if not works:
        cloud.drivers["host1"].plan.add(FaultRule("attach_volume", FaultKind.RAISE, times=1))
    body = {"volumeAttachment": {"volumeId": volume}}
    assert cloud.post(f"/servers/{server}/os-volume_attachments", body).status == 202
    _began(cloud, "attach_volume", server)
    number = _overdue(server, "attach_volume")
    until(lambda: operations.get(number).args.get("stage") == "undo", 10, lambda: "nobody undoes it")
    _ended(number)
    until(lambda: cloud.volumes.show(volume)["status"] == "available", 20, lambda: str(cloud.volumes.show(volume)))
    until(
        lambda: cloud.get(f"/servers/{server}/os-volume_attachments").json == {"volumeAttachments": []}, 20,
        lambda: "the server still lists it",
    )  # fmt: skip
    cloud.delete(f"/servers/{server}")
    cloud.wait_gone(server)


@pytest.mark.parametrize("works", [True, False])
def test_a_swap_that_is_late_follows_its_guest(cloud: Cloud, works: bool) -> None:
    """Whatever its worker comes to at last: the guest says which volume is the server's, and the other is free."""
    server, old, new = cloud.boot()["id"], cloud.volumes.make(CTXT), cloud.volumes.make(CTXT)
    path = f"/servers/{server}/os-volume_attachments"
    assert cloud.post(path, {"volumeAttachment": {"volumeId": old}}).status == 202
    until(lambda: cloud.volumes.show(old)["status"] == "in-use", 20, lambda: "the old volume is not attached")
    cloud.wait_quiet(20)
    driver = cloud.drivers["host1"]
    driver.plan.delay("swap_volume", 1.2)
    if not works:
        driver.plan.add(FaultRule("swap_volume", FaultKind.RAISE, times=1))
    assert cloud.request("PUT", f"{path}/{old}", {"volumeAttachment": {"volumeId": new}}, token=ADMIN).status == 202
    _began(cloud, "swap_volume", server)
    number = _overdue(server, "swap_volume")
    until(lambda: operations.get(number).finish_time is not None, 20, lambda: f"open: {operations.get(number)}")
    cloud.wait_quiet(20)
    has, free = (new, old) if works else (old, new)
    assert [*driver.guests[server].volumes] == [has]
    assert [each["volumeId"] for each in cloud.get(path).json["volumeAttachments"]] == [has]
    assert (cloud.volumes.show(has)["status"], cloud.volumes.show(free)["status"]) == ("in-use", "available")
    ended = operations.get(number)
    assert (ended.state, ended.message) == ((OperationState.DONE, None) if works else (OperationState.FAILED, LATE))
    cloud.delete(f"/servers/{server}")
    cloud.wait_gone(server)


def test_a_call_that_never_comes_back_stops_no_other_server_and_shows_its_host_as_degraded(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    stuck, other = cloud.boot()["id"], cloud.boot()["id"]
    plan, back = cloud.drivers["host1"].plan, threading.Event()
    monkeypatch.setattr(plan, "_sleep", lambda seconds: back.wait(60))
    plan.add(FaultRule("power_off", FaultKind.HANG, times=1, uuid=stuck))
    try:
        assert cloud.act(stuck, "os-stop").status == 202
        _began(cloud, "power_off", stuck)
        _ended(_overdue(stuck, "stop"))

        def reason() -> str:
            return services.get_by_host("host1", COMPUTE).disabled_reason or ""

        until(lambda: "1 call(s) to the hypervisor do not come back" in reason(), 20, lambda: f"said: {reason()!r}")
        for key, status in (("pause", "PAUSED"), ("unpause", "ACTIVE"), ("os-stop", "SHUTOFF")):
            assert cloud.act(other, key, token=ADMIN).status == 202
            cloud.wait(other, status)
        assert cloud.delete(f"/servers/{stuck}").status == 204
        (deleting,) = (each for each in operations.list_for_instance(stuck) if each.action == "delete")
        until(lambda: operations.get(deleting.id).rests > 0, 20, lambda: "the delete holds a worker for ever")
    finally:
        back.set()
    cloud.wait_gone(stuck, 60)
    until(lambda: not services.get_by_host("host1", COMPUTE).disabled, 20, lambda: "the host stays degraded")
