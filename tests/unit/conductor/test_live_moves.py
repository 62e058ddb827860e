"""What hosts report of live moves: wishes, guests that moved after all, and hosts that are clean again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from nova_lite import conf as nova_conf
from nova_lite import exception
from nova_lite.compute.power_states import PowerState
from nova_lite.compute.task_states import TaskState
from nova_lite.conductor import failures, guests, journal, live_moves, moves
from nova_lite.db.api import allocations, compute_nodes, instances, migrations, operations
from nova_lite.objects import (
    Flavor,
    Instance,
    Migration,
    MigrationStatus,
    MigrationType,
    MigrationWish,
    Operation,
    OperationState,
    Presence,
)
from tests.harness.builders import make_flavor, make_node
from tests.harness.database import fresh_database, make_instance

FLAVOR: Flavor = make_flavor("small", vcpus=1, memory_mb=64)


@pytest.fixture(autouse=True)
def database() -> Iterator[None]:
    nova_conf.register_all()
    nova_conf.CONF([], project="nova-lite", default_config_files=[], default_config_dirs=[])
    with fresh_database():
        for host in ("a", "b"):
            compute_nodes.upsert(make_node(host))
        yield


def _move(kind: MigrationType = MigrationType.LIVE) -> tuple[Instance, Operation, Migration]:
    """A server on host a that moves to b, where it is claimed; its operation is held by somebody."""
    instance = instances.insert(make_instance(host="a", node="a", generation=1, flavor=FLAVOR))
    (here,), (there,) = compute_nodes.on_host("a"), compute_nodes.on_host("b")
    assert allocations.claim(here.uuid, instance.uuid, 1, 64, 0)
    number = operations.insert_pending(
        request_id="r", instance_uuid=instance.uuid, action="live-migration", project_id="project", user_id="user",
        topic="conductor", host=None, args={}, timeout_s=9,
    )  # fmt: skip
    operation = operations.take(number, "me", 9, "conductor", None)
    assert operation is not None
    migration = moves.begin(operation, instance, kind, status=MigrationStatus.ACCEPTED)
    assert allocations.claim(there.uuid, instance.uuid, 1, 64, 0)
    assert moves.plan(migration, "b", "b")
    return instance, operation, migration


def _held(uuid: str) -> list[str]:
    names = {node.uuid: node.host for node in compute_nodes.list_all()}
    return [names[claim.node_uuid] for claim in allocations.of_instance(uuid)]


def test_a_report_moves_the_status_and_brings_the_wish() -> None:
    _, operation, migration = _move()
    assert live_moves.report(operation.id, operation.attempt, "running", {"memory_total_bytes": 5}) is None
    found = migrations.get(migration.uuid)
    assert (found.status, found.progress) == ("running", {"memory_total_bytes": 5})
    assert migrations.update_if(migration.uuid, {"wish": str(MigrationWish.ABORT)}, MigrationStatus.RUNNING)
    assert live_moves.report(operation.id, operation.attempt, None, {}) == MigrationWish.ABORT
    assert migrations.get(migration.uuid).progress == {"memory_total_bytes": 5}


@pytest.mark.parametrize(("source", "begins"), [("a", True), ("b", False)])
def test_a_migration_does_not_begin_from_where_its_server_is_no_longer(source: str, begins: bool) -> None:
    """Its row has followed a guest that had gone before: the rollback would remove the disks that the guest has."""
    instance, operation, migration = _move()
    args = {"stage": "check", "source": source, "dest": "b", "devices": []}
    operations.hand_over(operation.id, operation.attempt, "compute", "b", args)
    taken = journal.take(operation.id, "host", 9, "b")
    assert (taken is not None) is begins
    found = operations.get(operation.id)
    assert found.state == (OperationState.RUNNING if begins else OperationState.FAILED)
    assert migrations.get(migration.uuid).is_open is begins


@pytest.mark.parametrize(("stage", "host", "undecided"), [("finish", "b", False), ("undo", "a", True)])
def test_what_is_bound_goes_to_the_guest_of_a_migration_that_nobody_ended(
    stage: str, host: str, undecided: bool
) -> None:
    """Its deadline came while the destination was dead: ports were bound where the guest was no longer."""
    instance, operation, _ = _move()
    args = {"stage": stage, "source": "a", "dest": "b", "devices": []}
    there = {"host": host, "node": host}
    operations.hand_over(operation.id, operation.attempt, "compute", "b", args)
    assert instances.update_if(instance.uuid, there)
    failures.give_up(operations.get(operation.id), instances.get(instance.uuid), "too late")
    (settles,) = operations.open_for_instance(instance.uuid)
    assert (settles.action, settles.host, settles.args["undecided"]) == ("settle", host, undecided)


def test_a_migration_that_was_undone_leaves_nothing_to_be_settled() -> None:
    instance, operation, _ = _move()
    args = {"stage": "undo", "source": "a", "dest": "b", "devices": []}
    operations.hand_over(operation.id, operation.attempt, "compute", "b", args)
    taken = operations.take(operation.id, "b", 9, "compute", "b")
    assert taken is not None
    journal.fail(taken.id, taken.attempt, "no", "", 500)
    assert operations.open_for_instance(instance.uuid) == []


def test_who_was_overtaken_reports_nothing() -> None:
    instance, operation, migration = _move()
    with pytest.raises(exception.StaleWrite):
        live_moves.report(operation.id, operation.attempt + 1, "running", {})
    assert moves.ended(instance)
    with pytest.raises(exception.StaleWrite):
        live_moves.report(operation.id, operation.attempt, "running", {})
    assert migrations.get(migration.uuid).status == MigrationStatus.ERROR


@pytest.mark.parametrize("ended", [False, True])
def test_the_row_follows_a_guest_that_moved(ended: bool) -> None:
    instance, _, migration = _move()
    if ended:  # the server's state was reset a moment ago: its claim went back to the source
        assert moves.ended(instance)
        assert _held(instance.uuid) == ["a"]
    assert live_moves.guest_moved(instance.uuid, 1, "b", "b")
    moved = instances.get(instance.uuid)
    assert (moved.host, moved.node, moved.generation) == ("b", "b", 2)
    assert (_held(instance.uuid), _held(migration.uuid)) == (["b"], [])
    assert not live_moves.guest_moved(instance.uuid, 1, "b", "b")


def test_a_row_that_follows_while_another_move_is_being_prepared_takes_its_claim_along() -> None:
    instance, _, _ = _move()
    compute_nodes.upsert(make_node("c"))
    operations.end_open(instance.uuid, "superseded")
    assert moves.ended(instance)
    number = operations.insert_pending(
        request_id="r", instance_uuid=instance.uuid, action="live-migration", project_id="project", user_id="user",
        topic="conductor", host=None, args={}, timeout_s=9,
    )  # fmt: skip
    later = moves.begin(operations.get(number), instances.get(instance.uuid), MigrationType.LIVE)
    (there,) = compute_nodes.on_host("c")
    assert allocations.claim(there.uuid, instance.uuid, 1, 64, 0) and moves.plan(later, "c", "c")
    assert live_moves.guest_moved(instance.uuid, 1, "b", "b")
    assert (_held(instance.uuid), _held(later.uuid)) == (["b"], [])


def test_the_row_of_a_server_that_is_deleted_follows_nobody() -> None:
    instance, _, _ = _move()
    instances.update_if(instance.uuid, {"task_state": TaskState.DELETING})
    assert not live_moves.guest_moved(instance.uuid, 1, "b", "b")
    assert instances.get(instance.uuid).host == "a"


def test_what_is_made_ready_for_a_guest_is_kept_while_it_is_on_its_way() -> None:
    instance, operation, _ = _move()
    assert _ruled("b", Presence(instance.uuid, has_disks=True)) == "leave"
    operations.end_open(instance.uuid, "superseded")
    assert _ruled("b", Presence(instance.uuid, has_disks=True)) == "destroy"
    assert operation.id > 0


def test_a_guest_that_moved_is_followed_from_where_it_left_only() -> None:
    instance, operation, _ = _move()
    operations.end_open(instance.uuid, "superseded")
    instances.update_if(instance.uuid, {"generation": 3})
    assert not live_moves.guest_moved(instance.uuid, 1, "b", "b")
    assert (instances.get(instance.uuid).host, instances.get(instance.uuid).generation) == ("a", 3)
    assert operation.id > 0


def _came(instance: Instance, **other: Any) -> Presence:
    """The guest on b, as it is once it went over."""
    return Presence(instance.uuid, PowerState.RUNNING, generation=2, has_disks=True).replace(**other)


def test_the_row_follows_a_guest_whose_source_died_before_it_could_say_so() -> None:
    instance, operation, migration = _move()
    assert _ruled("b", _came(instance)) == "leave" and instances.get(instance.uuid).host == "a"  # it is on its way
    operations.end_open(instance.uuid, "superseded")
    assert moves.ended(instance)
    assert _ruled("b", _came(instance)) == "leave"
    moved = instances.get(instance.uuid)
    assert (moved.host, moved.node, moved.generation) == ("b", "b", 2)
    assert (_held(instance.uuid), _held(migration.uuid)) == (["b"], [])
    (settles,) = operations.open_for_instance(instance.uuid)
    assert (settles.action, settles.topic, settles.host) == ("settle", "compute", "b")
    assert settles.args["generation"] == 2 and operation.id < settles.id
    assert _ruled("b", _came(instance)) == "leave" and len(operations.open_for_instance(instance.uuid)) == 1


@pytest.mark.parametrize(
    ("other", "verdict"),
    [
        # It is on its way still, as its processor does not run here, or stands still.
        ({"power_state": PowerState.PAUSED}, "note"), ({"power_state": PowerState.SHUTDOWN}, "note"),
        ({"generation": 3}, "note"), ({"generation": None}, "note"), ({"generation": 1}, "quarantine"),
    ],
)  # fmt: skip
def test_a_row_follows_the_guest_that_was_sent_and_no_other(other: dict[str, Any], verdict: str) -> None:
    instance, _, _ = _move()
    operations.end_open(instance.uuid, "superseded")
    assert moves.ended(instance)
    assert _ruled("b", _came(instance, **other)) == verdict
    assert instances.get(instance.uuid).host == "a"


@pytest.mark.parametrize("kind", [MigrationType.EVACUATION, MigrationType.MIGRATION])
def test_a_row_follows_live_migrations_only(kind: MigrationType) -> None:
    instance, _, _ = _move(kind)
    operations.end_open(instance.uuid, "superseded")
    assert moves.ended(instance)
    assert _ruled("b", _came(instance)) == "note"
    assert instances.get(instance.uuid).host == "a"


def test_a_row_follows_the_last_move_only() -> None:
    instance, operation, migration = _move()
    operations.end_open(instance.uuid, "superseded")
    assert moves.ended(instance)
    migrations.create(migration.replace(uuid="later", dest_compute="c", dest_node="c", status=MigrationStatus.ERROR))
    assert _ruled("b", _came(instance)) == "note"
    assert instances.get(instance.uuid).host == "a" and operation.id > 0


@pytest.mark.parametrize(
    ("stage", "later"),
    [
        (None, {"dest_compute": None, "dest_node": None}), (None, {"dest_compute": "c", "dest_node": None}),
        ("check", {"dest_compute": "c", "dest_node": "c"}),
    ],
)  # fmt: skip
def test_a_later_migration_whose_guest_was_never_sent_hides_none(stage: str | None, later: dict[str, Any]) -> None:
    """It was asked for when the guest had been looked for in vain, and given up, too."""
    instance, _, migration = _move()
    operations.end_open(instance.uuid, "superseded")
    assert moves.ended(instance)
    number = operations.insert_pending(
        request_id="r", instance_uuid=instance.uuid, action="live-migration", project_id="project", user_id="user",
        topic="conductor", host=None, args={} if stage is None else {"stage": stage}, timeout_s=9,
    )  # fmt: skip
    operations.end_open(instance.uuid, "superseded")
    given_up = {"uuid": "later", "operation_id": number, "status": MigrationStatus.ERROR, **later}
    migrations.create(migration.replace(**given_up))
    assert _ruled("b", _came(instance)) == "leave" and instances.get(instance.uuid).host == "b"


def test_a_row_that_cannot_follow_keeps_the_host_from_no_other_guest() -> None:
    instance, _, migration = _move()
    operations.end_open(instance.uuid, "superseded")
    assert moves.ended(instance)
    migrations.update_if(migration.uuid, {"dest_node": "gone"})
    stale = Presence("11111111-1111-4111-8111-111111111111", PowerState.RUNNING, generation=1)
    rulings = guests.judge("b", [_came(instance), stale])["rulings"]
    assert [each["verdict"] for each in rulings.values()] == ["leave", "quarantine"]
    assert instances.get(instance.uuid).host == "a" and not operations.open_for_instance(instance.uuid)


def test_a_server_that_is_being_deleted_is_left_where_it_is() -> None:
    instance, _, _ = _move()
    operations.end_open(instance.uuid, "superseded")
    assert moves.ended(instance)
    instances.update_if(instance.uuid, {"task_state": TaskState.DELETING})
    assert _ruled("b", _came(instance)) == "leave"
    assert instances.get(instance.uuid).host == "a" and not operations.open_for_instance(instance.uuid)


def _ruled(host: str, presence: Presence) -> str:
    return str(guests.judge(host, [presence])["rulings"][presence.uuid]["verdict"])


def test_a_source_that_is_back_hears_what_was_evacuated_until_it_is_clean() -> None:
    instance, _, migration = _move(MigrationType.EVACUATION)
    assert guests.judge("a", [])["evacuated"] == []
    instances.update_if(instance.uuid, {"host": "b", "node": "b", "generation": 2})
    assert moves.succeeded(migration, instances.get(instance.uuid), MigrationStatus.DONE)
    left = Presence(instance.uuid, 1, generation=1, has_disks=True)
    assert _ruled("a", left) == "destroy" and guests.judge("a", [left])["evacuated"] == [instance.uuid]
    live_moves.cleaned("b", [instance.uuid])
    assert migrations.evacuated("a") == [migrations.get(migration.uuid)]
    live_moves.cleaned("a", [instance.uuid])
    assert migrations.get(migration.uuid).status == MigrationStatus.COMPLETED
    assert guests.judge("a", [])["evacuated"] == []
