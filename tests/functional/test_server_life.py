"""The life of a server through the whole cloud in one process."""

from __future__ import annotations

import pathlib
from collections.abc import Iterator

import pytest

from nova_lite.audit import gather
from nova_lite.audit.table import findings
from nova_lite.compute.api import DECLARED
from nova_lite.compute.power_states import PowerState
from nova_lite.db import clock
from nova_lite.db.api import instances
from nova_lite.objects import Fault
from nova_lite.virt.fault_plan import FaultKind, FaultRule
from tests.harness.cloud import ADMIN, STRANGER, Cloud, until


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    with Cloud(tmp_path_factory.mktemp("cloud"), hosts=2) as running:
        yield running


@pytest.fixture(autouse=True)
def consistent(cloud: Cloud) -> Iterator[None]:
    """After each test the oracle finds nothing wrong."""
    yield
    cloud.wait_quiet()


def test_a_server_boots_and_is_deleted(cloud: Cloud) -> None:
    server = cloud.boot(name="first", metadata={"a": "b"})
    assert server["OS-EXT-STS:power_state"] == PowerState.RUNNING
    assert server["OS-EXT-SRV-ATTR:host"] in cloud.drivers
    assert server["name"] == "first" and server["metadata"] == {"a": "b"}
    assert server["OS-SRV-USG:launched_at"] and server["addresses"]
    assert cloud.delete(f"/servers/{server['id']}").status == 204
    cloud.wait_gone(server["id"])


@pytest.mark.parametrize(
    ("action", "body", "status", "power"),
    [
        ("os-stop", None, "SHUTOFF", PowerState.SHUTDOWN),
        ("pause", None, "PAUSED", PowerState.PAUSED),
        ("suspend", None, "SUSPENDED", PowerState.SHUTDOWN),
        ("reboot", {"type": "SOFT"}, "ACTIVE", PowerState.RUNNING),
        ("reboot", {"type": "HARD"}, "ACTIVE", PowerState.RUNNING),
    ],
)
def test_an_action_and_its_way_back(cloud: Cloud, action: str, body: object, status: str, power: PowerState) -> None:
    server = cloud.boot()
    answer = cloud.act(server["id"], action, body)
    assert answer.status == 202
    shown = cloud.show(server["id"])
    assert shown is not None and (shown["OS-EXT-STS:task_state"] or shown["status"] == status)
    assert cloud.wait(server["id"], status)["OS-EXT-STS:power_state"] == power
    back = {"os-stop": "os-start", "pause": "unpause", "suspend": "resume"}.get(action)
    if back:
        assert cloud.act(server["id"], back).status == 202
        assert cloud.wait(server["id"], "ACTIVE")["OS-EXT-STS:power_state"] == PowerState.RUNNING


def test_what_was_done_is_told(cloud: Cloud) -> None:
    server = cloud.boot()
    cloud.act(server["id"], "os-stop")
    cloud.wait(server["id"], "SHUTOFF")
    actions = cloud.get(f"/servers/{server['id']}/os-instance-actions").json["instanceActions"]
    assert [action["action"] for action in actions] == ["stop", "create"]
    one = cloud.get(f"/servers/{server['id']}/os-instance-actions/{actions[0]['request_id']}").json["instanceAction"]
    assert [(event["event"], event["result"]) for event in one["events"]] == [("compute_stop_instance", "Success")]


def test_a_refusal_names_the_state(cloud: Cloud) -> None:
    server = cloud.boot()
    answer = cloud.act(server["id"], "os-start")
    assert answer.status == 409
    assert answer.json["conflictingRequest"]["message"] == (
        f"Cannot 'start' instance {server['id']} while it is in vm_state active"
    )


def test_a_lock_stops_a_member_and_not_an_administrator(cloud: Cloud) -> None:
    server = cloud.boot()
    assert cloud.act(server["id"], "lock").status == 202
    answer = cloud.act(server["id"], "os-stop")
    assert answer.status == 409 and "is locked" in answer.json["conflictingRequest"]["message"]
    assert cloud.delete(f"/servers/{server['id']}").status == 409
    assert cloud.act(server["id"], "os-stop", token=ADMIN).status == 202
    cloud.wait(server["id"], "SHUTOFF")
    assert cloud.act(server["id"], "unlock").status == 202
    assert cloud.act(server["id"], "os-start").status == 202
    cloud.wait(server["id"], "ACTIVE")


def test_another_projects_server_is_not_there(cloud: Cloud) -> None:
    server = cloud.boot()
    assert cloud.get(f"/servers/{server['id']}", token=STRANGER).status == 404
    assert cloud.act(server["id"], "os-stop", token=STRANGER).status == 404
    assert cloud.delete(f"/servers/{server['id']}", token=STRANGER).status == 404
    assert cloud.get("/servers", token=STRANGER).json["servers"] == []


def test_the_console_is_read(cloud: Cloud) -> None:
    server = cloud.boot(name="talker")
    answer = cloud.act(server["id"], "os-getConsoleOutput", {"length": 1})
    assert answer.status == 200 and answer.json["output"].rstrip() == "talker login:"


def test_many_servers_in_one_request(cloud: Cloud) -> None:
    first = cloud.boot(wait=None, name="many", min_count=5, max_count=5)
    servers = cloud.get("/servers?name=many-").json["servers"]
    assert len(servers) == 5 and first["id"] in {server["id"] for server in servers}
    for server in servers:
        cloud.wait(server["id"], "ACTIVE")


def test_a_host_that_fails_hands_the_build_on(cloud: Cloud) -> None:
    for driver in cloud.drivers.values():
        driver.plan.add(FaultRule("spawn", FaultKind.RAISE, times=1))
    server = cloud.boot(wait=None)
    # Both hosts fail once: the second refusal leaves no host, and the server says so.
    shown = cloud.wait(server["id"], "ERROR")
    assert "No valid host" in shown["fault"]["message"]
    again = cloud.boot()
    assert again["status"] == "ACTIVE"


def test_an_image_that_nobody_can_use_is_not_tried_elsewhere(cloud: Cloud) -> None:
    for driver in cloud.drivers.values():
        driver.plan.add(FaultRule("create_disks", FaultKind.ABORT, times=1))
        driver.plan.calls.clear()
    server = cloud.boot(wait=None)
    cloud.wait(server["id"], "ERROR")
    tried = [call for driver in cloud.drivers.values() for call in driver.plan.calls if call[0] == "create_disks"]
    assert len(tried) == 1
    for driver in cloud.drivers.values():
        driver.plan.clear()


def test_delete_wins_over_a_build(cloud: Cloud) -> None:
    for driver in cloud.drivers.values():
        driver.plan.delay("create_disks", 0.3)
    server = cloud.boot(wait=None)
    until(
        lambda: (cloud.show(server["id"]) or {}).get("OS-EXT-STS:task_state") == "spawning", 5,
        lambda: str(cloud.show(server["id"])),
    )  # fmt: skip
    assert cloud.delete(f"/servers/{server['id']}").status == 204
    cloud.wait_gone(server["id"])
    for driver in cloud.drivers.values():
        driver.plan.clear()


def test_a_failed_delete_is_tried_again(cloud: Cloud) -> None:
    server = cloud.boot()
    cloud.drivers[server["OS-EXT-SRV-ATTR:host"]].plan.add(FaultRule("destroy", FaultKind.RAISE, times=1))
    assert cloud.delete(f"/servers/{server['id']}").status == 204
    cloud.wait_gone(server["id"])


def test_a_failed_action_leaves_the_server_as_it_was(cloud: Cloud) -> None:
    server = cloud.boot()
    cloud.drivers[server["OS-EXT-SRV-ATTR:host"]].plan.add(FaultRule("pause", FaultKind.RAISE, times=1))
    assert cloud.act(server["id"], "pause").status == 202
    cloud.wait(server["id"], "ACTIVE")
    actions = cloud.get(f"/servers/{server['id']}/os-instance-actions").json["instanceActions"]
    assert actions[0]["action"] == "pause" and actions[0]["message"]


def test_a_guest_that_dies_by_itself_is_shown_stopped(cloud: Cloud) -> None:
    server = cloud.boot()
    cloud.drivers[server["OS-EXT-SRV-ATTR:host"]].happens(server["id"], PowerState.SHUTDOWN)
    cloud.wait(server["id"], "SHUTOFF")


def test_reset_state_frees_and_says_who_declared_an_error(cloud: Cloud) -> None:
    """The audit asks every server in error for its reason."""
    server = cloud.boot()
    assert cloud.act(server["id"], "os-resetState", {"state": "error"}, token=ADMIN).status == 202
    shown = cloud.show(server["id"])
    assert shown is not None and shown["status"] == "ERROR"
    assert (shown["fault"]["code"], shown["fault"]["message"]) == (500, DECLARED) and "details" not in shown["fault"]
    world = gather.database(clock.now(), strict=True)
    assert [str(each) for each in findings(world) if each.subject[1] == server["id"]] == []
    instances.add_fault(server["id"], Fault(500, "the disk is gone"))
    assert cloud.act(server["id"], "os-resetState", {"state": "error"}, token=ADMIN).status == 202
    shown = cloud.show(server["id"])
    assert shown is not None and shown["fault"]["message"] == "the disk is gone"
    assert cloud.act(server["id"], "os-resetState", {"state": "active"}, token=ADMIN).status == 202
    cloud.wait(server["id"], "ACTIVE")


def test_the_directory_holds_what_outlives_the_cloud(cloud: Cloud) -> None:
    assert isinstance(cloud.directory, pathlib.Path) and (cloud.directory / "nova.sqlite").exists()
