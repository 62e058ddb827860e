"""Live migrations and evacuations when something breaks: each call of the driver, each host, the conductor."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import update

from nova_lite import exception
from nova_lite.clock import utcnow
from nova_lite.compute.action_row import Backoff
from nova_lite.db.api import instances, migrations, operations
from nova_lite.db.models import Operation
from nova_lite.db.session import writer
from nova_lite.objects import MigrationStatus
from nova_lite.virt.fault_plan import FaultKind, FaultRule
from tests.harness.cloud import ADMIN, Cloud, until

AUTO = {"host": None, "block_migration": "auto"}
HOSTS = ("host1", "host2")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    with Cloud(tmp_path_factory.mktemp("live"), hosts=2) as running:
        yield running


@pytest.fixture
def cloud(whole: Cloud) -> Iterator[Cloud]:
    """Everything works before a test, and nothing is left of it."""
    yield whole
    for driver in whole.drivers.values():
        driver.plan.clear()
    for name in HOSTS:
        if name not in whole.services:
            whole.revive(name)
    whole.delete_servers()
    whole.wait_quiet()


def _home(server: dict[str, Any]) -> str:
    return str(server["OS-EXT-SRV-ATTR:host"])


def _other(cloud: Cloud, server: dict[str, Any]) -> str:
    return next(name for name in cloud.drivers if name != _home(server))


def _migrate(cloud: Cloud, server: dict[str, Any]) -> None:
    answer = cloud.act(server["id"], "os-migrateLive", AUTO, token=ADMIN)
    assert answer.status == 202, answer.body


def _called(cloud: Cloud, host: str, call: str, server: dict[str, Any], times: int = 1) -> None:
    calls = cloud.drivers[host].plan.calls
    until(lambda: calls.count((call, server["id"])) >= times, 15, lambda: f"{call} never came: {calls}")


def _last(server: dict[str, Any]) -> str:
    """The status of the server's newest move."""
    return str(migrations.list({"instance_uuid": server["id"]}, newest_first=True)[0].status)


def _evacuate(cloud: Cloud, server: dict[str, Any], version: str = "2.94") -> None:
    answer = cloud.act(server["id"], "evacuate", {}, token=ADMIN, version=version)
    assert answer.status == 200, answer.body


@pytest.mark.parametrize(
    ("where", "call", "arrives"),
    [
        ("dest", "check_can_live_migrate_destination", False),
        ("dest", "create_disks", False),
        ("dest", "pre_live_migration", False),
        ("source", "live_migrate", False),
        ("source", "live_migrate_round", False),
        ("source", "post_live_migration", True),
    ],
)
def test_a_call_that_fails(cloud: Cloud, where: str, call: str, arrives: bool) -> None:
    server = cloud.boot()
    home, other = _home(server), _other(cloud, server)
    driver = cloud.drivers[home if where == "source" else other]
    driver.plan.add(FaultRule(call, FaultKind.RAISE, 1, server["id"]))
    _migrate(cloud, server)
    shown = cloud.wait(server["id"], "ACTIVE")
    assert _home(shown) == (other if arrives else home)
    assert _last(server) == (MigrationStatus.COMPLETED if arrives else MigrationStatus.ERROR)
    if not arrives:
        # The server may go at once, when nothing is broken any more.
        cloud.wait_quiet()
        _migrate(cloud, server)
        assert _home(cloud.wait(server["id"], "ACTIVE")) == other
    # What a source could not remove of the guest that went is gone soon, too.
    cloud.wait_quiet()


def test_a_rollback_that_fails_leaves_what_the_host_removes_when_it_looks_around(cloud: Cloud) -> None:
    server = cloud.boot()
    home, other = _home(server), _other(cloud, server)
    cloud.drivers[home].plan.add(FaultRule("live_migrate_round", FaultKind.RAISE, 1))
    cloud.drivers[other].plan.add(FaultRule("rollback_live_migration", FaultKind.RAISE))
    _migrate(cloud, server)
    assert _home(cloud.wait(server["id"], "ACTIVE")) == home
    assert server["id"] in cloud.drivers[other].disks
    cloud.stop(other)
    cloud.start_host(other)
    cloud.wait_quiet()


def test_a_network_that_fails_at_the_end_is_asked_again(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    server = cloud.boot()
    other = _other(cloud, server)
    network = cloud.services[other].manager._host.network
    move, asked = network.move, []

    def first_time_fails(*args: Any) -> Any:
        asked.append(args)
        if len(asked) == 1:
            raise exception.Unavailable("the network is away")
        return move(*args)

    monkeypatch.setattr(network, "move", first_time_fails)
    monkeypatch.setattr(Backoff, "rest_s", lambda *_: 0.01)
    _migrate(cloud, server)
    assert _home(cloud.wait(server["id"], "ACTIVE")) == other
    assert len(asked) == 2
    assert _last(server) == MigrationStatus.COMPLETED


@pytest.mark.parametrize("call", ["check_can_live_migrate_destination", "pre_live_migration"])
def test_a_destination_killed_while_it_prepares_goes_on_when_it_is_back(cloud: Cloud, call: str) -> None:
    server = cloud.boot()
    other = _other(cloud, server)
    cloud.drivers[other].plan.delay(call, 0.5)
    _migrate(cloud, server)
    _called(cloud, other, call, server)
    cloud.kill(other)
    cloud.start_host(other)
    assert _home(cloud.wait(server["id"], "ACTIVE")) == other
    cloud.wait_quiet()


def test_a_destination_that_stays_dead_is_given_up(cloud: Cloud) -> None:
    server = cloud.boot()
    other = _other(cloud, server)
    cloud.drivers[other].plan.delay("pre_live_migration", 0.5)
    _migrate(cloud, server)
    _called(cloud, other, "pre_live_migration", server)
    cloud.silence(other)
    assert _home(cloud.wait(server["id"], "ACTIVE")) == _home(server)
    assert _last(server) == MigrationStatus.ERROR
    cloud.revive(other)
    cloud.wait_quiet()


@pytest.mark.parametrize("call", ["live_migrate_round", "post_live_migration"])
def test_a_move_whose_source_is_killed_in_the_middle_is_undone_unless_the_guest_has_gone(
    cloud: Cloud, call: str
) -> None:
    server = cloud.boot()
    home = _home(server)
    cloud.drivers[home].plan.delay(call, 0.3)
    _migrate(cloud, server)
    _called(cloud, home, call, server)
    cloud.kill(home)
    cloud.start_host(home)
    gone = call == "post_live_migration"
    assert (_home(cloud.wait(server["id"], "ACTIVE")) != home) is gone
    assert _last(server) == (MigrationStatus.COMPLETED if gone else MigrationStatus.ERROR)
    cloud.wait_quiet()


@pytest.mark.parametrize("call", ["live_migrate_round", "post_live_migration"])
def test_of_a_source_that_stays_dead_the_destination_knows_where_the_guest_is(cloud: Cloud, call: str) -> None:
    server = cloud.boot()
    home, other = _home(server), _other(cloud, server)
    cloud.drivers[home].plan.delay(call, 0.3)
    _migrate(cloud, server)
    _called(cloud, home, call, server)
    cloud.silence(home)
    shown = cloud.wait(server["id"], "ACTIVE", 30)
    arrived = call == "post_live_migration"
    assert _home(shown) == (other if arrived else home)
    assert _last(server) == (MigrationStatus.COMPLETED if arrived else MigrationStatus.ERROR)
    cloud.revive(home)
    cloud.wait_quiet()


def test_a_destination_killed_at_the_end_ends_when_it_is_back(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    server = cloud.boot()
    home, other = _home(server), _other(cloud, server)
    cloud.drivers[home].plan.delay("post_live_migration", 0.5)
    _migrate(cloud, server)
    _called(cloud, home, "post_live_migration", server)
    cloud.kill(other)
    until(lambda: instances.get(server["id"]).host == other, 10, lambda: "the row never followed the guest")
    cloud.start_host(other)
    assert _home(cloud.wait(server["id"], "ACTIVE")) == other
    assert _last(server) == MigrationStatus.COMPLETED
    cloud.wait_quiet()


def test_both_killed_in_the_middle(cloud: Cloud) -> None:
    server = cloud.boot()
    for driver in cloud.drivers.values():
        driver.plan.delay("live_migrate_round", 0.3)
    _migrate(cloud, server)
    _called(cloud, _home(server), "live_migrate_round", server)
    for name in ("host1", "host2"):
        cloud.kill(name)
    for name in ("host1", "host2"):
        cloud.start_host(name)
    cloud.wait(server["id"], "ACTIVE", 30)
    cloud.wait_quiet()


def test_a_conductor_killed_in_the_middle(cloud: Cloud) -> None:
    server = cloud.boot()
    cloud.drivers[_home(server)].plan.delay("live_migrate_round", 0.2)
    _migrate(cloud, server)
    _called(cloud, _home(server), "live_migrate_round", server)
    cloud.kill("conductor")
    cloud.start_conductor()
    assert _home(cloud.wait(server["id"], "ACTIVE", 30)) != _home(server)
    cloud.wait_quiet()


def test_a_reset_in_the_middle_closes_the_move(cloud: Cloud) -> None:
    server = cloud.boot()
    cloud.drivers[_home(server)].plan.delay("live_migrate_round", 0.2)
    _migrate(cloud, server)
    _called(cloud, _home(server), "live_migrate_round", server)
    assert cloud.act(server["id"], "os-resetState", {"state": "active"}, token=ADMIN).status == 202
    cloud.wait_quiet()
    assert instances.get(server["id"]).host == _home(server)
    assert _last(server) == MigrationStatus.ERROR


def test_a_reset_in_the_last_moment_loses_no_guest(cloud: Cloud) -> None:
    server = cloud.boot()
    home, other = _home(server), _other(cloud, server)
    cloud.drivers[home].plan.delay("post_live_migration", 0.5)
    _migrate(cloud, server)
    _called(cloud, home, "post_live_migration", server)
    cloud.act(server["id"], "os-resetState", {"state": "active"}, token=ADMIN)
    cloud.wait_quiet()
    assert instances.get(server["id"]).host == other


@pytest.mark.parametrize("call", ["live_migrate_round", "post_live_migration"])
def test_a_delete_in_the_middle_wins(cloud: Cloud, call: str) -> None:
    server = cloud.boot()
    cloud.drivers[_home(server)].plan.delay(call, 0.3)
    _migrate(cloud, server)
    _called(cloud, _home(server), call, server)
    assert cloud.delete(f"/servers/{server['id']}").status == 204
    cloud.wait_gone(server["id"])
    cloud.wait_quiet()


def test_a_migration_past_its_deadline_is_taken_back(cloud: Cloud) -> None:
    server = cloud.boot()
    cloud.drivers[_home(server)].plan.delay("live_migrate_round", 0.3)
    _migrate(cloud, server)
    _called(cloud, _home(server), "live_migrate_round", server)
    (operation,) = operations.open_for_instance(server["id"])
    with writer() as session:
        late = {"deadline": utcnow()}
        session.execute(update(Operation.__table__).where(Operation.__table__.c.id == operation.id).values(late))
    assert _home(cloud.wait(server["id"], "ACTIVE")) == _home(server)
    assert _last(server) == MigrationStatus.ERROR
    cloud.wait_quiet()


# -- evacuation -----------------------------------------------------------------------------------


@pytest.mark.parametrize("call", ["create_disks", "spawn"])
def test_an_evacuation_that_fails_leaves_the_server_in_error_where_it_was(cloud: Cloud, call: str) -> None:
    server = cloud.boot()
    home, other = _home(server), _other(cloud, server)
    cloud.drivers[other].plan.add(FaultRule(call, FaultKind.RAISE, 1))
    cloud.silence(home)
    _evacuate(cloud, server)
    shown = cloud.wait(server["id"], "ERROR")
    assert _home(shown) == home
    assert _last(server) == MigrationStatus.FAILED
    assert server["id"] not in cloud.drivers[other].disks
    (waits,) = cloud.violations()
    assert f"settle of {server['id']}" in waits, "only what returns to its dead host with it"
    _evacuate(cloud, server)
    assert _home(cloud.wait(server["id"], "ACTIVE")) == other
    cloud.revive(home)
    cloud.wait_quiet()
    assert _last(server) == MigrationStatus.COMPLETED


@pytest.mark.parametrize("call", ["create_disks", "spawn"])
def test_a_new_host_killed_in_the_middle_goes_on_when_it_is_back(cloud: Cloud, call: str) -> None:
    server = cloud.boot()
    home, other = _home(server), _other(cloud, server)
    cloud.drivers[other].plan.delay(call, 0.5)
    cloud.silence(home)
    _evacuate(cloud, server)
    _called(cloud, other, call, server)
    cloud.kill(other)
    cloud.start_host(other)
    assert _home(cloud.wait(server["id"], "ACTIVE")) == other
    cloud.revive(home)
    cloud.wait_quiet()


def test_a_new_host_that_dies_too_loses_the_server_to_a_third(cloud: Cloud) -> None:
    server = cloud.boot()
    home, other = _home(server), _other(cloud, server)
    cloud.drivers[other].plan.delay("spawn", 2.0)
    cloud.silence(home)
    _evacuate(cloud, server)
    _called(cloud, other, "spawn", server)
    cloud.start_host("host3")
    cloud.silence(other)
    assert _home(cloud.wait(server["id"], "ACTIVE", 30)) == "host3"
    for name in (home, other):
        cloud.revive(name)
    cloud.wait_quiet()
    assert server["id"] not in {*cloud.drivers[home].guests, *cloud.drivers[other].guests}
    assert cloud.delete(f"/servers/{server['id']}").status == 204
    cloud.wait_gone(server["id"])
    cloud.silence("host3")
    del cloud.drivers["host3"]


def test_a_new_host_that_dies_too_with_no_third_leaves_nothing_that_is_taken_for_the_server(cloud: Cloud) -> None:
    server = cloud.boot()
    home, other = _home(server), _other(cloud, server)
    cloud.drivers[other].plan.delay("spawn", 0.5)
    cloud.silence(home)
    _evacuate(cloud, server)
    _called(cloud, other, "spawn", server)
    cloud.silence(other)
    shown = cloud.wait(server["id"], "ERROR", 30)
    assert _home(shown) == home
    assert shown["fault"]["message"].startswith("No valid host was found.")
    until(lambda: server["id"] in cloud.drivers[other].guests, 5, lambda: "its guest was never built")
    cloud.revive(other)
    assert server["id"] not in cloud.drivers[other].guests
    cloud.revive(home)
    cloud.wait_quiet()


def test_a_source_that_returns_in_the_middle_of_the_evacuation(cloud: Cloud) -> None:
    server = cloud.boot()
    home, other = _home(server), _other(cloud, server)
    cloud.drivers[other].plan.delay("spawn", 1.0)
    cloud.silence(home)
    _evacuate(cloud, server)
    _called(cloud, other, "spawn", server)
    cloud.revive(home)
    assert _home(cloud.wait(server["id"], "ACTIVE")) == other
    cloud.wait_quiet()
    until(lambda: _last(server) == MigrationStatus.COMPLETED, 10, lambda: _last(server))


def test_a_conductor_killed_in_an_evacuation(cloud: Cloud) -> None:
    server = cloud.boot()
    home, other = _home(server), _other(cloud, server)
    cloud.drivers[other].plan.delay("spawn", 0.5)
    cloud.silence(home)
    _evacuate(cloud, server)
    _called(cloud, other, "spawn", server)
    cloud.kill("conductor")
    cloud.start_conductor()
    assert _home(cloud.wait(server["id"], "ACTIVE", 30)) == other
    cloud.revive(home)
    cloud.wait_quiet()
