"""Moves: claims and quota are on the right side, whichever way a move ends, and no end is counted twice."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from nova_lite import conf as nova_conf
from nova_lite import exception, quota
from nova_lite.clock import utcnow
from nova_lite.compute import moves as cold
from nova_lite.compute.power_states import PowerState
from nova_lite.conductor import guests, moves
from nova_lite.context import admin_context
from nova_lite.db.api import allocations, compute_nodes, instances, migrations, operations, quotas
from nova_lite.db.session import writer
from nova_lite.objects import Flavor, Instance, Migration, MigrationStatus, MigrationType, Operation, Presence
from nova_lite.objects.flavor import quota_counts
from tests.harness.builders import make_flavor, make_node
from tests.harness.database import fresh_database, make_instance

SMALL = make_flavor("small", vcpus=1, memory_mb=64)
# More cores, less memory: each resource is held by itself.
WIDE = make_flavor("wide", vcpus=4, memory_mb=32)


@pytest.fixture(autouse=True)
def database() -> Iterator[None]:
    nova_conf.register_all()
    nova_conf.CONF([], project="nova-lite", default_config_files=[], default_config_dirs=[])
    with fresh_database():
        for host in ("a", "b"):
            compute_nodes.upsert(make_node(host))
        yield


def _claim(uuid: str, host: str, flavor: Flavor = SMALL) -> None:
    node = compute_nodes.on_host(host)[0]
    assert allocations.claim(node.uuid, uuid, flavor.vcpus, flavor.memory_mb, 0)


def _held(uuid: str) -> list[str]:
    hosts = {node.uuid: node.host for node in compute_nodes.list_all()}
    return [hosts[claim.node_uuid] for claim in allocations.of_instance(uuid)]


def _server() -> Instance:
    instance = instances.insert(make_instance(host="a", node="a", generation=1, flavor=SMALL))
    quota.reserve("project", quota_counts([SMALL]))
    _claim(instance.uuid, "a")
    return instance


def _operation(instance: Instance) -> Operation:
    number = operations.insert_pending(
        request_id="r", instance_uuid=instance.uuid, action="resize", project_id="project", user_id="user",
        topic="conductor", host=None, args={}, timeout_s=9,
    )  # fmt: skip
    return operations.get(number)


def _moving(instance: Instance, new_flavor: Flavor = WIDE) -> Migration:
    """A move to host b, claimed there."""
    migration = moves.begin(_operation(instance), instance, MigrationType.RESIZE, new_flavor)
    _claim(instance.uuid, "b", new_flavor)
    assert moves.plan(migration, "b", "b", dest_host="192.0.2.1")
    return migrations.get(migration.uuid)


def _arrived(instance: Instance) -> Instance:
    instances.update_if(instance.uuid, {"host": "b", "node": "b", "generation": 2, "flavor": WIDE})
    return instances.get(instance.uuid)


def _used() -> tuple[int, int]:
    used = quota.usage("project")
    return used["cores"], used["ram"]


def _clean() -> bool:
    return not allocations.audit() and not quotas.audit()


def test_a_move_takes_the_claim_and_begins_once() -> None:
    instance = _server()
    operation = _operation(instance)
    first = moves.begin(operation, instance, MigrationType.RESIZE, WIDE)
    assert moves.begin(operation, instance, MigrationType.RESIZE, WIDE).uuid == first.uuid
    assert (_held(first.uuid), _held(instance.uuid)) == (["a"], [])
    assert (first.source_compute, first.old_vm_state, first.status) == ("a", "active", "pre-migrating")
    # of each resource the larger
    assert _used() == (4, 64)
    assert _clean()


def test_a_flavor_over_quota_begins_nothing() -> None:
    instance = _server()
    quotas.set_limit("project", "cores", 3)
    with pytest.raises(exception.OverQuota):
        moves.begin(_operation(instance), instance, MigrationType.RESIZE, WIDE)
    assert migrations.open_of(instance.uuid) is None and _held(instance.uuid) == ["a"]
    assert _used() == (1, 64)


def test_a_move_that_succeeded_gives_the_source_back() -> None:
    migration = _moving(_server())
    instance = _arrived(instances.get(migration.instance_uuid))
    assert _clean() and _used() == (4, 64)
    for expected in (True, False):
        assert moves.succeeded(migration, instance, MigrationStatus.CONFIRMED) is expected
        assert (_held(migration.uuid), _held(instance.uuid)) == ([], ["b"])
        assert _used() == (4, 32) and _clean()


@pytest.mark.parametrize("end", [moves.failed, moves.reverted])
def test_a_move_that_did_not_happen_gives_the_claim_back_to_the_server(end: object) -> None:
    instance = _server()
    migration = _moving(instance)
    for expected in (True, False):
        assert end(migration, instance) is expected  # type: ignore[operator]
        assert (_held(migration.uuid), _held(instance.uuid)) == ([], ["a"])
        assert _used() == (1, 64) and _clean()


@pytest.mark.parametrize(("arrived", "left", "used"), [(False, "a", (1, 64)), (True, "b", (4, 32))])
def test_a_move_that_is_given_up_leaves_the_server_where_it_is(arrived: bool, left: str, used: tuple[int, int]) -> None:
    instance = _server()
    migration = _moving(instance)
    if arrived:
        instance = _arrived(instance)
    assert moves.ended(instance)
    assert not moves.ended(instance)
    assert (_held(migration.uuid), _held(instance.uuid)) == ([], [left])
    assert migrations.get(migration.uuid).status == "error"
    assert _used() == used and _clean()


@pytest.mark.parametrize(("status", "host", "used"), [("post-migrating", "a", (1, 64)), ("finished", "b", (4, 32))])
def test_a_reset_server_is_where_its_disks_are(status: str, host: str, used: tuple[int, int]) -> None:
    migration = _moving(_server())
    instance = _arrived(instances.get(migration.instance_uuid))
    assert moves.note(migration, MigrationStatus(status))
    moves.reset(instance)
    after = instances.get(instance.uuid)
    assert (after.host, after.flavor.flavorid) == ((host, "small") if host == "a" else ("b", "wide"))
    assert after.generation == instance.generation + (host == "a")
    assert (_held(migration.uuid), _held(instance.uuid)) == ([], [host])
    assert _used() == used and _clean()
    moves.reset(after)
    assert instances.get(instance.uuid).generation == after.generation


@pytest.mark.parametrize("status", ["migrating", "finished"])
@pytest.mark.parametrize("arrived", [False, True])
def test_nothing_is_left_of_a_deleted_server(status: str, arrived: bool) -> None:
    instance = _server()
    migration = _moving(instance)
    assert moves.note(migration, MigrationStatus(status))
    if arrived:
        instance = _arrived(instance)
    with writer():
        moves.gone(instance)
        instances.tombstone(instance.uuid)
        quota.release("project", quota_counts([instance.flavor]))
    assert allocations.list() == []
    assert _used() == (0, 0) and _clean()
    assert migrations.get(migration.uuid).status == ("confirmed" if status == "finished" else "error")


def test_a_destination_may_be_given_up_for_another() -> None:
    instance = _server()
    migration = _moving(instance)
    assert moves.replan(migration)
    assert (_held(migration.uuid), _held(instance.uuid)) == (["a"], [])
    assert migrations.get(migration.uuid).dest_compute is None and _clean()


def test_a_move_that_ended_gets_no_destination_and_no_news() -> None:
    instance = _server()
    migration = _moving(instance)
    assert moves.failed(migration, instance)
    before = migrations.get(migration.uuid)
    assert not moves.plan(migration, "c", "c") and not moves.replan(migration)
    assert not moves.note(migration, MigrationStatus.MIGRATING)
    assert migrations.get(migration.uuid) == before and _clean()


def test_what_a_move_left_on_its_source_waits_for_the_end_of_the_move() -> None:
    instance = _server()
    migration = _moving(instance)
    operations.end_open(instance.uuid, "it waits for its user")
    left = Presence(_arrived(instance).uuid, int(PowerState.SHUTDOWN), generation=1, has_disks=True)
    for status, verdict in ((None, "leave"), ("confirmed", "destroy")):
        if status is not None:
            migrations.update_if(migration.uuid, {"status": status})
        assert guests.judge("a", [left])["rulings"][instance.uuid]["verdict"] == verdict


def test_what_a_move_left_on_its_source_stays_while_its_server_is_in_error_elsewhere() -> None:
    instance = _server()
    migration = _moving(instance)
    operations.end_open(instance.uuid, "it was given up")
    migrations.update_if(migration.uuid, {"status": MigrationStatus.ERROR})
    for vm_state, verdict in (("error", "note"), ("active", "destroy")):
        left = Presence(_arrived(instance).uuid, has_disks=True)
        instances.update_if(instance.uuid, {"vm_state": vm_state})
        assert guests.judge("a", [left])["rulings"][instance.uuid]["verdict"] == verdict


@pytest.mark.parametrize("end", [cold.confirm, cold.revert])
def test_of_a_confirmation_and_a_revert_at_once_one_is_accepted(
    end: Callable[..., object], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both read the move before either was accepted."""
    instance = _server()
    migration = _moving(instance)
    instances.update_if(instance.uuid, {"vm_state": "resized", "task_state": None, "launched_at": utcnow()})
    migrations.update_if(migration.uuid, {"status": "finished"})
    read = migrations.get(migration.uuid)
    migrations.update_if(migration.uuid, {"status": "confirming"})
    monkeypatch.setattr(cold.migrations, "open_of", lambda uuid: read)
    monkeypatch.setattr(cold, "_begun_with", lambda migration: {})
    with pytest.raises(exception.Invalid, match="has not been resized"):
        end(admin_context(), instances.get(instance.uuid))
    assert migrations.get(migration.uuid).status == "confirming"
    assert not any(each.action.endswith("Resize") for each in operations.list_for_instance(instance.uuid))


def test_the_next_move_ends_one_that_was_left_open() -> None:
    instance = _server()
    former = _moving(instance)
    second = moves.begin(_operation(instance), instance, MigrationType.MIGRATION)
    assert migrations.get(former.uuid).status == "error"
    assert (_held(second.uuid), _held(instance.uuid)) == (["a"], []) and _used() == (1, 64) and _clean()


def test_an_open_moves_claim_is_no_orphan() -> None:
    migration = _moving(_server())
    assert allocations.release_orphans() == 0
    migrations.update_if(migration.uuid, {"status": "error"})
    assert allocations.release_orphans() == 1 and _held(migration.uuid) == []
