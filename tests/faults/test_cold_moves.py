"""Cold moves when drivers raise, hosts and conductors die and users delete in the middle: undone or finished, clean."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from nova_lite.compute.action_row import Backoff
from nova_lite.conductor.tasks import cold, recover
from nova_lite.db.api import instances, migrations, operations
from nova_lite.virt.fault_plan import FaultKind, FaultRule
from tests.harness.cloud import ADMIN, Cloud, until

SOURCE, DEST = "host1", "host2"


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    with Cloud(tmp_path_factory.mktemp("cloud"), hosts=2, options={"operations": {"service_down_s": 4.0}}) as running:
        yield running


@pytest.fixture
def cloud(shared: Cloud, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    """Both hosts are there and well; what the test leaves is deleted."""
    monkeypatch.setattr(Backoff, "rest_s", lambda *_: 0.1)
    yield shared
    shared.make_well(SOURCE, DEST)


@pytest.fixture
def server(cloud: Cloud) -> dict[str, Any]:
    return cloud.boot(token=ADMIN, availability_zone=f"nova:{SOURCE}")


def _resize(cloud: Cloud, server: dict[str, Any], wait: str | None = "VERIFY_RESIZE") -> None:
    answer = cloud.act(server["id"], "resize", {"flavorRef": "1"})
    assert answer.status == 202, answer.body
    if wait:
        cloud.wait(server["id"], wait)


def _fails(cloud: Cloud, host: str, call: str, times: int | None = 1) -> None:
    cloud.drivers[host].plan.add(FaultRule(call, FaultKind.RAISE, times))


def _reached(cloud: Cloud, host: str, call: str, server: dict[str, Any]) -> None:
    """Wait until the host is inside the call."""
    until(lambda: (call, server["id"]) in cloud.drivers[host].plan.calls, 10, lambda: f"{call} never began")


def _as_before(cloud: Cloud, server: dict[str, Any]) -> None:
    """The server runs where and as it did; the move ended in error, and its reason is kept."""
    until(lambda: migrations.open_of(server["id"]) is None, 20, lambda: f"{migrations.open_of(server['id'])}")
    shown = cloud.wait(server["id"], "ACTIVE")
    assert shown["OS-EXT-SRV-ATTR:host"] == server["OS-EXT-SRV-ATTR:host"]
    assert shown["flavor"] == server["flavor"]
    assert _statuses(server) == ["error"]
    assert instances.get(server["id"]).fault is not None
    cloud.wait_quiet()
    for host in set(cloud.drivers) - {SOURCE}:
        assert server["id"] not in cloud.drivers[host].list_disks()


def _statuses(server: dict[str, Any]) -> list[str]:
    return [move.status for move in migrations.list({"instance_uuid": server["id"]})]


def _nothing_left(cloud: Cloud, server: dict[str, Any]) -> None:
    cloud.wait_quiet()
    for host, driver in cloud.drivers.items():
        assert server["id"] not in driver.list_disks(), host
        assert driver.find_guest(server["id"]) is None, host


# -- the driver raises ----------------------------------------------------------------------------


@pytest.mark.parametrize(("host", "call"), [(SOURCE, "migrate_disk_and_power_off"), (DEST, "finish_migration")])
@pytest.mark.parametrize("undo_fails", [False, True])
def test_a_driver_that_fails_leaves_the_server_as_it_was(
    cloud: Cloud, server: dict[str, Any], host: str, call: str, undo_fails: bool
) -> None:
    _fails(cloud, host, call)
    if undo_fails:
        _fails(cloud, SOURCE, "finish_revert_migration", 1)
    _resize(cloud, server, None)
    _as_before(cloud, server)
    (action, *_) = cloud.get(f"/servers/{server['id']}/os-instance-actions").json["instanceActions"]
    assert action["action"] == "resize" and action["message"]


def test_a_stopped_server_that_could_not_move_stays_stopped(cloud: Cloud, server: dict[str, Any]) -> None:
    cloud.act(server["id"], "os-stop")
    cloud.wait(server["id"], "SHUTOFF")
    _fails(cloud, DEST, "finish_migration")
    assert cloud.act(server["id"], "migrate", token=ADMIN).status == 202
    until(lambda: migrations.open_of(server["id"]) is None, 20, lambda: "the move never ended")
    assert cloud.wait(server["id"], "SHUTOFF")["OS-EXT-SRV-ATTR:host"] == SOURCE
    assert cloud.drivers[SOURCE].guests[server["id"]].power_state == 4
    cloud.wait_quiet()


def test_a_guest_that_cannot_be_brought_back_is_in_error(cloud: Cloud, server: dict[str, Any]) -> None:
    _fails(cloud, DEST, "finish_migration")
    _fails(cloud, SOURCE, "finish_revert_migration", 3)
    _resize(cloud, server, "ERROR")
    fault = instances.get(server["id"]).fault
    assert fault is not None and "could not be brought back" in fault.message
    cloud.wait_quiet()
    assert cloud.act(server["id"], "reboot", {"type": "HARD"}).status == 202, "it was set aside, and is there again"
    cloud.wait(server["id"], "ACTIVE")
    cloud.delete(f"/servers/{server['id']}")
    cloud.wait_gone(server["id"])
    _nothing_left(cloud, server)


def test_a_revert_is_tried_again(cloud: Cloud, server: dict[str, Any]) -> None:
    _resize(cloud, server)
    _fails(cloud, DEST, "revert_migration", 1)
    _fails(cloud, SOURCE, "finish_revert_migration", 2)
    assert cloud.act(server["id"], "revertResize").status == 202
    assert cloud.wait(server["id"], "ACTIVE")["OS-EXT-SRV-ATTR:host"] == SOURCE
    cloud.wait_quiet()


def test_a_confirmation_is_tried_until_it_is_done(cloud: Cloud, server: dict[str, Any]) -> None:
    _resize(cloud, server)
    _fails(cloud, SOURCE, "confirm_migration", 2)
    assert cloud.act(server["id"], "confirmResize").status == 204
    cloud.wait(server["id"], "ACTIVE")
    cloud.wait_quiet()
    assert server["id"] not in cloud.drivers[SOURCE].list_disks()


@pytest.mark.parametrize("lacking", [SOURCE, DEST])
def test_a_hypervisor_that_cannot_says_so(
    cloud: Cloud, server: dict[str, Any], lacking: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    driver = cloud.drivers[lacking]
    monkeypatch.setattr(driver, "capabilities", driver.capabilities - {"migrate"})
    _resize(cloud, server, None)
    _as_before(cloud, server)
    fault = instances.get(server["id"]).fault
    assert fault is not None and fault.message == "The hypervisor of the server's host cannot 'resize'."


# -- hosts die ------------------------------------------------------------------------------------

_STAGES = [(SOURCE, "migrate_disk_and_power_off"), (DEST, "finish_migration")]


@pytest.mark.parametrize(("host", "call"), _STAGES)
def test_a_host_killed_in_its_turn_goes_on_when_it_is_back(
    cloud: Cloud, server: dict[str, Any], host: str, call: str
) -> None:
    cloud.drivers[host].plan.delay(call, 0.4)
    _resize(cloud, server, None)
    _reached(cloud, host, call, server)
    cloud.kill(host)
    cloud.start_host(host)
    assert cloud.wait(server["id"], "VERIFY_RESIZE")["OS-EXT-SRV-ATTR:host"] == DEST
    cloud.wait_quiet()
    cloud.act(server["id"], "revertResize")
    assert cloud.wait(server["id"], "ACTIVE")["OS-EXT-SRV-ATTR:host"] == SOURCE
    cloud.wait_quiet()


def test_a_destination_that_stays_dead_gives_the_server_back(cloud: Cloud, server: dict[str, Any]) -> None:
    cloud.drivers[DEST].plan.delay("finish_migration", 0.4)
    _resize(cloud, server, None)
    _reached(cloud, DEST, "finish_migration", server)
    dead = cloud.drivers[DEST]
    cloud.kill(DEST)
    until(lambda: migrations.open_of(server["id"]) is None, 20, lambda: "the move never ended")
    cloud.wait(server["id"], "ACTIVE")
    until(lambda: dead.find_guest(server["id"]) is not None, 5, lambda: "the dead host did nothing")
    # It removes what it has of the server when it is back.
    cloud.start_host(DEST)
    _as_before(cloud, server)


def test_a_source_that_stays_dead_keeps_the_server_until_its_time_is_up_and_undoes_then(
    cloud: Cloud, server: dict[str, Any]
) -> None:
    cloud.drivers[SOURCE].plan.delay("migrate_disk_and_power_off", 0.4)
    _resize(cloud, server, None)
    _reached(cloud, SOURCE, "migrate_disk_and_power_off", server)
    cloud.kill(SOURCE)
    (operation,) = operations.open_for_instance(server["id"])
    assert operation.args["stage"] == "resize"
    recover.time_is_up(operation)
    (operation,) = operations.open_for_instance(server["id"])
    assert (operation.args["stage"], operation.host) == ("undo", SOURCE)
    cloud.start_host(SOURCE)
    _as_before(cloud, server)


def test_a_confirmation_does_not_wait_for_a_dead_source(cloud: Cloud, server: dict[str, Any]) -> None:
    _resize(cloud, server)
    cloud.kill(SOURCE)
    assert cloud.act(server["id"], "confirmResize").status == 204
    assert cloud.wait(server["id"], "ACTIVE")["OS-EXT-SRV-ATTR:host"] == DEST
    cloud.start_host(SOURCE)
    cloud.wait_quiet()
    assert server["id"] not in cloud.drivers[SOURCE].list_disks()


def test_a_revert_does_not_wait_for_a_dead_destination(cloud: Cloud, server: dict[str, Any]) -> None:
    _resize(cloud, server)
    cloud.kill(DEST)
    assert cloud.act(server["id"], "revertResize").status == 202
    assert cloud.wait(server["id"], "ACTIVE")["OS-EXT-SRV-ATTR:host"] == SOURCE
    cloud.start_host(DEST)
    cloud.wait_quiet()
    assert server["id"] not in cloud.drivers[DEST].list_disks()


@pytest.mark.parametrize(("host", "call"), [(DEST, "revert_migration"), (SOURCE, "finish_revert_migration")])
def test_a_host_killed_in_a_revert_goes_on_when_it_is_back(
    cloud: Cloud, server: dict[str, Any], host: str, call: str
) -> None:
    _resize(cloud, server)
    cloud.drivers[host].plan.delay(call, 0.4)
    cloud.act(server["id"], "revertResize")
    _reached(cloud, host, call, server)
    cloud.kill(host)
    cloud.start_host(host)
    assert cloud.wait(server["id"], "ACTIVE")["OS-EXT-SRV-ATTR:host"] == SOURCE
    cloud.wait_quiet()


def test_a_source_that_restarts_keeps_what_may_be_reverted(cloud: Cloud, server: dict[str, Any]) -> None:
    _resize(cloud, server)
    cloud.stop(SOURCE)
    cloud.start_host(SOURCE)
    assert server["id"] in cloud.drivers[SOURCE].list_disks()
    cloud.act(server["id"], "revertResize")
    assert cloud.wait(server["id"], "ACTIVE")["OS-EXT-SRV-ATTR:host"] == SOURCE
    cloud.wait_quiet()


def test_a_host_on_which_workers_keep_dying_gives_the_server_back(cloud: Cloud, server: dict[str, Any]) -> None:
    cloud.drivers[DEST].plan.delay("finish_migration", 0.2)
    _resize(cloud, server, None)
    for _ in range(4):
        _reached(cloud, DEST, "finish_migration", server)
        cloud.kill(DEST)
        cloud.start_host(DEST).plan.delay("finish_migration", 0.2)
    _as_before(cloud, server)


# -- conductors die -------------------------------------------------------------------------------


def test_a_conductor_killed_while_it_chooses_is_followed_by_another(
    cloud: Cloud, server: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[Any] = []
    send = cold._send

    def dies_after_the_claim(*args: Any) -> None:
        sent.append(args)
        if len(sent) == 1:
            raise RuntimeError("killed")  # nothing is undone, and the lease runs out
        send(*args)

    monkeypatch.setattr(cold, "_send", dies_after_the_claim)
    _resize(cloud, server)
    assert len(sent) == 2
    cloud.wait_quiet()


# -- users delete in the middle -------------------------------------------------------------------


@pytest.mark.parametrize(("host", "call"), _STAGES)
def test_a_server_deleted_while_it_moves_leaves_nothing(
    cloud: Cloud, server: dict[str, Any], host: str, call: str
) -> None:
    cloud.drivers[host].plan.delay(call, 0.3)
    _resize(cloud, server, None)
    _reached(cloud, host, call, server)
    assert cloud.delete(f"/servers/{server['id']}").status == 204
    cloud.wait_gone(server["id"])
    _nothing_left(cloud, server)
    assert _statuses(server) == ["error"]


@pytest.mark.parametrize("dead", [None, SOURCE, DEST])
def test_a_resized_server_that_is_deleted_leaves_nothing(
    cloud: Cloud, server: dict[str, Any], dead: str | None
) -> None:
    _resize(cloud, server)
    if dead:
        cloud.kill(dead)
    assert cloud.delete(f"/servers/{server['id']}").status == 204
    cloud.wait_gone(server["id"])
    if dead:
        cloud.start_host(dead)
    _nothing_left(cloud, server)
    assert _statuses(server) == ["confirmed"]


def test_a_server_whose_state_is_reset_while_it_moves_is_where_its_row_says(
    cloud: Cloud, server: dict[str, Any]
) -> None:
    cloud.drivers[SOURCE].plan.delay("migrate_disk_and_power_off", 0.3)
    _resize(cloud, server, None)
    _reached(cloud, SOURCE, "migrate_disk_and_power_off", server)
    assert cloud.act(server["id"], "os-resetState", {"state": "active"}, token=ADMIN).status == 202
    until(
        lambda: ("finish_revert_migration", server["id"]) in cloud.drivers[SOURCE].plan.calls, 10,
        lambda: "the source did not take its guest up again",
    )  # fmt: skip
    cloud.wait_quiet()
    assert cloud.wait(server["id"], "ACTIVE")["OS-EXT-SRV-ATTR:host"] == SOURCE


def test_a_server_whose_state_is_reset_half_way_still_has_its_disks(cloud: Cloud, server: dict[str, Any]) -> None:
    cloud.drivers[DEST].plan.delay("finish_migration", 0.3)
    _resize(cloud, server, None)
    _reached(cloud, DEST, "finish_migration", server)
    assert cloud.act(server["id"], "os-resetState", {"state": "active"}, token=ADMIN).status == 202
    # Nobody took the guest up again: the host says that it is off.
    cloud.wait(server["id"], "SHUTOFF")
    until(lambda: not cloud.drivers[DEST].list_disks(), 10, lambda: "the destination keeps what came")
    assert server["id"] in cloud.drivers[SOURCE].list_disks()
    cloud.wait_quiet()
    # Another move finds what the first one set aside.
    _resize(cloud, server)
    cloud.wait_quiet()
