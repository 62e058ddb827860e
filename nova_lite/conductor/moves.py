"""Moves: a server's claim and quota while it has two places, from the acceptance of the move to its end.

Between :func:`begin` and the end the move's uuid holds the claim on the side that the server came from, and the
scheduler claims the other side for the server itself. Every end is a compare-and-swap of the move's status: said again
it changes nothing. All of it runs in the caller's transaction.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from typing import Any

from nova_lite import quota
from nova_lite.compute import actions
from nova_lite.conductor import resets
from nova_lite.db.api import allocations, instances, migrations, operations
from nova_lite.db.session import writer
from nova_lite.objects import Flavor, Instance, Migration, MigrationStatus, MigrationType, Operation, Presence
from nova_lite.objects.flavor import quota_counts
from nova_lite.objects.migration import ENDED

# What an evacuation does not end: what is to come is the server's already.
TAKEN_ALONG = (actions.ATTACH_VOLUME.name, actions.ATTACH_INTERFACE.name)
_HALF_WAY = (MigrationStatus.PRE_MIGRATING, MigrationStatus.MIGRATING, MigrationStatus.POST_MIGRATING)
# The server is used where it came to.
_WAITED = (MigrationStatus.FINISHED, MigrationStatus.CONFIRMING)
_OPEN = tuple(status for status in MigrationStatus if status not in ENDED)


def begin(
    operation: Operation,
    instance: Instance,
    migration_type: MigrationType,
    new_flavor: Flavor | None = None,
    status: MigrationStatus = MigrationStatus.PRE_MIGRATING,
    **values: Any,
) -> Migration:
    """Write the move and give it the server's claim; the same operation gets the same move again.

    A move that was left open before (the server's state was reset) ends here. ``values`` are more fields of the move.

    :raises OverQuota: a larger flavor does not fit into the project's quota any more.
    """
    with writer():
        former = migrations.open_of(instance.uuid)
        if former is not None and former.operation_id == operation.id:
            return former
        ended(instance)
        held = _larger(instance.flavor, new_flavor or instance.flavor)
        quota.reserve(instance.project_id, _beyond(held, instance.flavor), user_id=instance.user_id)
        fields: dict[str, Any] = {
            "user_id": operation.user_id,
            "project_id": operation.project_id,
            "source_compute": instance.host,
            "source_node": instance.node,
            "old_flavor": instance.flavor,
            "new_flavor": new_flavor or instance.flavor,
            "held_vcpus": held["cores"],
            "held_memory_mb": held["ram"],
            "old_vm_state": instance.vm_state,
            **values,
        }
        migration = migrations.create(
            Migration(
                uuid=str(uuid.uuid4()), instance_uuid=instance.uuid, migration_type=migration_type, status=status,
                operation_id=operation.id, **fields,
            )
        )  # fmt: skip
        allocations.transfer(instance.uuid, migration.uuid)
        return migration


def plan(migration: Migration, host: str, node: str, **values: Any) -> bool:
    """Write down where the scheduler sends the server; False when the move has ended meanwhile."""
    return migrations.update_if(migration.uuid, {"dest_compute": host, "dest_node": node, **values}, *_OPEN)


def replan(migration: Migration) -> bool:
    """The destination is given up: the server's claim there goes, another may be chosen; False as :func:`plan`."""
    with writer():
        nowhere = {"dest_compute": None, "dest_node": None, "dest_host": None}
        if not migrations.update_if(migration.uuid, nowhere, *_OPEN):
            return False
        allocations.release(migration.instance_uuid)
        return True


def note(migration: Migration, status: MigrationStatus, **values: Any) -> bool:
    """An open move got as far as that; False when it has ended meanwhile."""
    return migrations.update_if(migration.uuid, {"status": status, **values}, *_OPEN)


def reached(instance: Instance, status: MigrationStatus) -> bool:
    """:func:`note` of whatever move of the server is open; False: none is."""
    migration = migrations.open_of(instance.uuid)
    return migration is not None and note(migration, status)


def succeeded(migration: Migration, instance: Instance, status: MigrationStatus) -> bool:
    """The server stays where it came to: the claim on the other side is given back. False: it has ended already."""
    return _end(migration, instance, status, migration.new_flavor, moved=True)


def failed(migration: Migration, instance: Instance, status: MigrationStatus = MigrationStatus.ERROR) -> bool:
    """The server stays where it was, or returned there: its claim there is its own again. False as above."""
    return _end(migration, instance, status, migration.old_flavor, moved=False)


def reverted(migration: Migration, instance: Instance) -> bool:
    """:func:`failed`, as its user wished."""
    return failed(migration, instance, MigrationStatus.REVERTED)


def ended(instance: Instance, status: MigrationStatus = MigrationStatus.ERROR) -> bool:
    """Whatever move of the server is open is given up, and it stays where its row says it is; False: none was open."""
    migration = migrations.open_of(instance.uuid)
    if migration is None:
        return False
    return _end(migration, instance, status, instance.flavor, moved=not at_home(migration, instance))


def reset(instance: Instance) -> None:
    """An administrator declares a server at rest: a cold move that is half-way, there or back, counts as undone.

    Only the source is sure to have the disks then; whatever else is open is given up where it is.
    """
    migration = migrations.open_of(instance.uuid)
    if migration is None:
        return
    on_the_way = migration.is_cold and migration.status in (*_HALF_WAY, MigrationStatus.REVERTING)
    if on_the_way and not at_home(migration, instance):
        back = {
            "host": migration.source_compute, "node": migration.source_node, "generation": instance.generation + 1,
            "flavor": migration.old_flavor or instance.flavor,
        }  # fmt: skip
        with writer():
            instances.update_if(instance.uuid, back)
            failed(migration, instance)
    else:
        ended(instance)
        if migration.is_cold and migration.status in _WAITED:
            resets.let_go(instance, [str(migration.source_compute)])


def gone(instance: Instance) -> None:
    """A deleted server's move ends and holds nothing on either side; a resize that only waited counts as confirmed."""
    migration = migrations.open_of(instance.uuid)
    if migration is not None:
        status = MigrationStatus.CONFIRMED if migration.status in _WAITED else MigrationStatus.ERROR
        _end(migration, instance, status, instance.flavor, moved=True)
        allocations.release(instance.uuid)


def at_home(migration: Migration, instance: Instance) -> bool:
    """Whether the server is still, or again, what and where it was before the move: both change at once."""
    if instance.host != migration.source_compute:
        return False
    old, new = migration.old_flavor, migration.new_flavor
    return old is None or new is None or old.flavorid == new.flavorid or instance.flavor.flavorid == old.flavorid


def is_in_the_way(instance: Instance) -> bool:
    """Whether what a move on one host made still stands where the server's disks are to be: nothing else may begin."""
    return any(
        each.action == actions.SETTLE.name and each.args.get("made_here") and actions.CLEARED_STEP not in each.steps
        and each.args["generation"] == instance.generation
        for each in operations.open_for_instance(instance.uuid)
    )  # fmt: skip


def takes_along(beside: Operation) -> bool:
    """Whether its server is being evacuated just now, and what it is about comes to the new host by that."""
    if beside.action not in TAKEN_ALONG:
        return False
    migration = migrations.open_of(beside.instance_uuid)
    return migration is not None and migration.migration_type == MigrationType.EVACUATION


def let_go_beside(host: str, found: Iterable[Presence]) -> None:
    """A guest that is well on its host does not need what a move that is over set aside beside it."""
    left = {each.uuid: each.generation for each in found if each.is_set_aside and each.has_guest}
    for server in instances.get_many([*left]):
        if (server.host, server.task_state, server.generation) != (host, None, left[server.uuid]):
            continue
        with writer():
            if migrations.open_of(server.uuid) is None and not operations.open_for_instance(server.uuid):
                resets.let_go(server)


def is_elsewhere(instance: Instance, place: Mapping[str, Any]) -> bool:
    """Whether a place (fields of a server) is not the server's: another host, or another flavor on the same one.

    What is made of it there has another mark.
    """
    flavor: Flavor = place.get("flavor", instance.flavor)
    return bool(place.get("host", instance.host) != instance.host or flavor.flavorid != instance.flavor.flavorid)


def _end(
    migration: Migration, instance: Instance, status: MigrationStatus, stays: Flavor | None, *, moved: bool
) -> bool:
    """``stays`` is the flavor that the server has from now on."""
    with writer():
        if not migrations.update_if(migration.uuid, {"status": status}, *_OPEN):
            return False
        if moved:
            allocations.release(migration.uuid)
        else:
            allocations.release(instance.uuid)
            allocations.transfer(migration.uuid, instance.uuid)
        held = {"cores": migration.held_vcpus, "ram": migration.held_memory_mb}
        quota.release(instance.project_id, _beyond(held, stays or instance.flavor))
        return True


def _larger(old: Flavor, new: Flavor) -> dict[str, int]:
    """What counts in the quota while the server may be of either flavor: of each the larger."""
    before, after = quota_counts([old]), quota_counts([new])
    return {name: max(before[name], after[name]) for name in before}


def _beyond(held: Mapping[str, int], flavor: Flavor) -> dict[str, int]:
    """How much more is held than a server of the flavor counts for."""
    alone = quota_counts([flavor])
    return {name: amount - alone[name] for name, amount in held.items() if amount > alone[name]}
