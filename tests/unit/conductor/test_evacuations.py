"""What an evacuation may end, what it leaves of it, and what its own end leaves."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from nova_lite import conf as nova_conf
from nova_lite import exception
from nova_lite.clock import utcnow
from nova_lite.compute import acceptance, actions
from nova_lite.compute.custody import Verdict
from nova_lite.compute.power_states import PowerState
from nova_lite.compute.vm_states import VmState
from nova_lite.conductor import evacuations, guests, journal, live_moves, moves
from nova_lite.conductor.tasks import recover
from nova_lite.context import admin_context
from nova_lite.db.api import instances, migrations, operations
from nova_lite.objects import Instance, Migration, MigrationStatus, MigrationType, Operation, Presence
from tests.harness.database import fresh_database, make_instance

CTXT = admin_context()
LIVE = {"source": "a", "dest": "b", "dest_node": "b"}
SOUGHT = {"generation": 4, "sides": ["a", "b"], "devices": [], "former": [], "undecided": True}


@pytest.fixture(autouse=True)
def dead(monkeypatch: pytest.MonkeyPatch) -> Iterator[set[str]]:
    """The hosts that are down."""
    nova_conf.register_all()
    nova_conf.CONF([], project="nova-lite", default_config_files=[], default_config_dirs=[])
    down = {"a"}
    monkeypatch.setattr(evacuations, "dead_hosts", lambda _: frozenset(down))
    with fresh_database():
        yield down


def _server(**values: Any) -> Instance:
    fields = {"host": "a", "node": "a", "generation": 4, "launched_at": utcnow(), "vm_state": VmState.ACTIVE, **values}
    return instances.insert(make_instance(**fields))


def _under_way(server: Instance, action: str, steps: tuple[str, ...] = (), **args: Any) -> Operation:
    number = operations.insert_pending(
        request_id="r", instance_uuid=server.uuid, action=action, project_id="p", user_id="u", topic="compute",
        host=server.host, args=args, timeout_s=90,
    )  # fmt: skip
    taken = operations.take(number, "me", 9, "compute", server.host)
    assert taken is not None
    for step in steps:
        journal.progress(number, taken.attempt, step, {})
    return taken


def _evacuate(server: Instance) -> Operation:
    number, _ = acceptance.action(CTXT, server, actions.EVACUATE, {"stopped": False, "to": None})
    return operations.get(number)


@pytest.mark.parametrize(
    ("action", "args"),
    [
        ("live-migration", {**LIVE, "stage": "migrate"}), ("live-migration", {**LIVE, "stage": "undo"}),
        ("settle", SOUGHT),
    ],
)  # fmt: skip
def test_a_guest_that_may_run_on_a_host_that_lives_is_not_built_again(
    dead: set[str], action: str, args: dict[str, Any]
) -> None:
    server = _server()
    begun = _under_way(server, action, **args)
    with pytest.raises(exception.GuestMayHaveMoved) as refused:
        _evacuate(server)
    assert refused.value.facts["host"] == "b" and operations.get(begun.id).finish_time is None
    dead.add("b")
    assert _evacuate(server).finish_time is None


@pytest.mark.parametrize(
    ("action", "steps", "args"),
    [
        ("live-migration", (), {**LIVE, "stage": "check"}), ("live-migration", (), {}),
        ("settle", (actions.FOUND_STEP,), SOUGHT), ("settle", (), {**SOUGHT, "generation": 3}),
        ("settle", (), {**SOUGHT, "undecided": False}),
    ],
)  # fmt: skip
def test_what_says_where_the_guest_is_keeps_nobody_from_an_evacuation(
    action: str, steps: tuple[str, ...], args: dict[str, Any]
) -> None:
    server = _server()
    _under_way(server, action, steps, **args)
    assert [each.action for each in operations.open_for_instance(_evacuate(server).instance_uuid)] == ["evacuate"]


@pytest.mark.parametrize("action", ["attach_volume", "attach_interface"])
def test_what_is_being_attached_is_taken_along(action: str) -> None:
    server = _server()
    attach = _under_way(server, action, bdm_uuid="b")
    begun = _evacuate(server)
    moves.begin(begun, server, MigrationType.EVACUATION)
    with pytest.raises(exception.StaleWrite):
        journal.finish(attach.id, attach.attempt, PowerState.RUNNING, {})
    assert journal.take(attach.id, "me", 9, "a") is None, "the old host is back too early"
    assert operations.get(attach.id).message == "The server is being built again elsewhere."
    moves.ended(server, MigrationStatus.DONE)
    instances.update_if(server.uuid, {"host": "b", "node": "b"})
    assert recover.host_down(operations.get(attach.id), 3) is None
    assert operations.get(attach.id).finish_time is None and operations.get(attach.id).host == "b"


@pytest.mark.parametrize(("action", "args"), [("attach_volume", {"stage": "undo"}), ("detach_volume", {})])
def test_what_is_being_taken_away_is_not(action: str, args: dict[str, Any]) -> None:
    server = _server()
    begun = _under_way(server, action, bdm_uuid="b", **args)
    _evacuate(server)
    assert operations.get(begun.id).finish_time is not None


def _moving(server: Instance, kind: MigrationType, status: MigrationStatus, dest: str) -> Migration:
    under_way = _under_way(server, "migrate", stage="finish")
    begun = moves.begin(under_way, server, kind, dest_compute=dest, dest_node=dest)
    migrations.update_if(begun.uuid, {"status": status})
    return migrations.get(begun.uuid)


def test_disks_that_a_cold_move_set_aside_on_a_host_that_lives_are_not_built_again(dead: set[str]) -> None:
    server = _server(host="source", node="source")
    _moving(server, MigrationType.MIGRATION, MigrationStatus.POST_MIGRATING, "a")
    instances.update_if(server.uuid, {"host": "a", "node": "a", "generation": 5})
    with pytest.raises(exception.ComputeServiceInUse):
        _evacuate(instances.get(server.uuid))
    assert instances.get(server.uuid).host == "a", "nothing of what was refused is left"
    dead.add("source")
    _evacuate(instances.get(server.uuid))
    assert (instances.get(server.uuid).host, instances.get(server.uuid).generation) == ("source", 6)


def test_a_host_that_came_back_meanwhile_is_not_evacuated(dead: set[str]) -> None:
    server = _server()
    dead.clear()
    with pytest.raises(exception.ComputeServiceInUse):
        _evacuate(server)


def test_what_a_former_evacuation_built_is_older_than_the_server() -> None:
    server = _server()
    _under_way(server, "evacuate", stage="rebuild", dest="b", generation=7)
    _evacuate(server)
    assert instances.get(server.uuid).generation == 8


# -- how it ends ----------------------------------------------------------------------------------


@pytest.mark.parametrize(("args", "generation"), [({}, 4), ({"died": True}, 8)])
def test_after_a_failed_evacuation_all_that_is_bound_returns(args: dict[str, Any], generation: int) -> None:
    server = _server(task_state="rebuilding")
    begun = _under_way(server, "evacuate", stage="rebuild", dest="b", generation=7, **args)
    journal.fail(begun.id, begun.attempt, "no", "", 500)
    (settles,) = operations.open_for_instance(server.uuid)
    assert (settles.action, settles.host, settles.args["sides"], settles.args["back"]) == ("settle", "a", ["b"], True)
    assert instances.get(server.uuid).generation == settles.args["generation"] == generation


@pytest.mark.parametrize(
    ("host", "seen", "status", "verdict"),
    [
        ("b", 7, MigrationStatus.FAILED, Verdict.DESTROY), ("b", 7, MigrationStatus.ERROR, Verdict.DESTROY),
        ("b", 5, MigrationStatus.FAILED, Verdict.NOTE), ("c", 7, MigrationStatus.FAILED, Verdict.NOTE),
        ("b", 7, MigrationStatus.DONE, Verdict.NOTE),
    ],
)  # fmt: skip
def test_only_what_a_failed_evacuation_was_to_build_there_goes(
    host: str, seen: int, status: MigrationStatus, verdict: Verdict
) -> None:
    server = _server(vm_state=VmState.ERROR)
    begun = _under_way(server, "evacuate", stage="rebuild", dest="b", generation=7)
    migration = moves.begin(begun, server, MigrationType.EVACUATION, dest_compute="b")
    moves.ended(server, status)
    operations.give_up(begun, "no")
    found = Presence(server.uuid, generation=seen, power_state=int(PowerState.RUNNING))
    assert guests.judge(host, [found])["rulings"][server.uuid]["verdict"] == verdict
    moves.begin(_under_way(server, "migrate"), server, MigrationType.LIVE, dest_compute="d")
    assert guests.judge(host, [found])["rulings"][server.uuid]["verdict"] == verdict, "it went elsewhere since"
    if verdict == Verdict.DESTROY:
        instances.update_if(server.uuid, {"host": "d", "generation": 7, "vm_state": VmState.ACTIVE})
        assert guests.judge(host, [found])["rulings"][server.uuid]["verdict"] == verdict, "and is as new as that by now"
    later = moves.begin(_under_way(server, "migrate"), server, MigrationType.LIVE, dest_compute="b")
    assert later.id > migration.id and live_moves.as_outlived(server, host, found) == server


def test_an_evacuation_that_is_reset_ends_as_one_that_failed() -> None:
    server = _server(task_state="rebuilding")
    _under_way(server, "evacuate", stage="rebuild", dest="b", generation=7)
    acceptance.at_once(CTXT, server, actions.RESET_STATE, {"vm_state": VmState.ACTIVE, "task_state": None})
    (settles,) = operations.open_for_instance(server.uuid)
    assert instances.get(server.uuid).generation == 4
    assert (settles.action, settles.host, settles.args["sides"], settles.args["back"]) == ("settle", "a", ["b"], True)


# -- who may have the only copy -------------------------------------------------------------------


def _then_evacuated(server: Instance, status: MigrationStatus) -> Instance:
    _moving(server, MigrationType.EVACUATION, status, "c")
    return instances.get(server.uuid)


@pytest.mark.parametrize(
    ("status", "keeper"),
    [
        (MigrationStatus.FAILED, "source"), (MigrationStatus.ERROR, "source"),
        (MigrationStatus.PRE_MIGRATING, "source"), (MigrationStatus.DONE, None), (MigrationStatus.COMPLETED, None),
    ],
)  # fmt: skip
def test_only_an_evacuation_that_went_well_proves_the_copy_set_aside_to_be_stale(
    status: MigrationStatus, keeper: str | None
) -> None:
    server = _server(host="source", node="source", vm_state=VmState.ERROR)
    _moving(server, MigrationType.RESIZE, MigrationStatus.ERROR, "a")
    assert evacuations.keeper_of(server) == "source"
    server = _then_evacuated(server, status)
    assert evacuations.keeper_of(server) == keeper
    assert [each.source_compute for each in migrations.given_up()] == ([keeper] if keeper else [])
    assert evacuations.keeper_of(server.replace(vm_state=VmState.ACTIVE)) is None


def test_a_guest_that_a_live_migration_may_have_brought_is_kept_while_the_server_is_in_error() -> None:
    server = _server(vm_state=VmState.ERROR)
    _moving(server, MigrationType.LIVE, MigrationStatus.ERROR, "b")
    assert not evacuations.may_have_guest(server, "b"), "the row may follow it"
    server = _then_evacuated(server, MigrationStatus.FAILED)
    assert evacuations.may_have_guest(server, "b") and not evacuations.may_have_guest(server, "c")
    assert not evacuations.may_have_guest(server.replace(vm_state=VmState.ACTIVE), "b")


@pytest.mark.parametrize(
    ("kind", "keeper", "guest"), [(MigrationType.RESIZE, "a", False), (MigrationType.LIVE, None, True)]
)
def test_a_live_migration_that_sent_nothing_proves_nothing(
    kind: MigrationType, keeper: str | None, guest: bool
) -> None:
    server = _server(vm_state=VmState.ERROR)
    _moving(server, kind, MigrationStatus.ERROR, "b")
    begun = _under_way(server, "live-migration", stage="check", source="a", dest="c")
    moves.begin(begun, server, MigrationType.LIVE, dest_compute="c", dest_node="c")
    operations.give_up(begun, "reset")
    moves.ended(server)
    server = _then_evacuated(server, MigrationStatus.FAILED)
    assert (evacuations.keeper_of(server), evacuations.may_have_guest(server, "b")) == (keeper, guest)


@pytest.mark.parametrize(
    ("found", "power_state", "verdict"),
    [
        (True, None, Verdict.DESTROY), (False, None, Verdict.NOTE),
        (True, int(PowerState.RUNNING), Verdict.QUARANTINE), (True, int(PowerState.SHUTDOWN), Verdict.NOTE),
    ],
)  # fmt: skip
def test_what_was_made_ready_for_a_guest_that_was_found_at_home_goes(
    found: bool, power_state: int | None, verdict: Verdict
) -> None:
    """The destination had been dead throughout: it was asked for an evacuation in vain, and came back."""
    server = _server(vm_state=VmState.ERROR)
    _moving(server, MigrationType.LIVE, MigrationStatus.ERROR, "b")
    server = _then_evacuated(server, MigrationStatus.FAILED)
    home = _under_way(server, "settle", (actions.FOUND_STEP,) if found else (), **{**SOUGHT, "undecided": False})
    journal.finish(home.id, home.attempt, int(PowerState.RUNNING), {"network_info": ()})
    seen = Presence(server.uuid, has_disks=True, is_expected=True, power_state=power_state, generation=3)
    if power_state is None:
        seen = seen.replace(generation=None)
    assert guests.judge("b", [seen])["rulings"][server.uuid]["verdict"] == verdict


def test_that_a_guest_was_at_home_before_an_evacuation_says_nothing_of_what_a_later_live_migration_left() -> None:
    server = _server(vm_state=VmState.ERROR)
    home = _under_way(server, "settle", (actions.FOUND_STEP,), **{**SOUGHT, "undecided": False})
    journal.finish(home.id, home.attempt, int(PowerState.RUNNING), {"network_info": ()})
    _moving(server, MigrationType.LIVE, MigrationStatus.ERROR, "b")
    server = _then_evacuated(server, MigrationStatus.FAILED)
    seen = Presence(server.uuid, has_disks=True, is_expected=True)
    assert guests.judge("b", [seen])["rulings"][server.uuid]["verdict"] == Verdict.NOTE
