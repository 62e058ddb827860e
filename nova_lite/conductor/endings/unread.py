"""What ends with an action of which nothing but the name can be read: the rows of server and move say what it was.

As after a reset: nothing whole is removed, and what may be half done is seen to by a small operation. Each answers the
server's fields that change besides. In the caller's transaction.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nova_lite import quota
from nova_lite.compute import actions
from nova_lite.compute.vm_states import VmState
from nova_lite.conductor import arrivals, moves, resets
from nova_lite.conductor.endings import shelves
from nova_lite.db.api import allocations, instances, migrations
from nova_lite.objects import Instance, MigrationStatus
from nova_lite.objects.flavor import quota_counts


def _built(instance: Instance) -> dict[str, Any]:
    if instance.host is None:
        allocations.release(instance.uuid)
    return {}


def _restored(instance: Instance) -> dict[str, Any]:
    """``instance`` is as it was while it was restored, and counted."""
    if instance.vm_state == VmState.SOFT_DELETED and quota.counts(instance):
        quota.release(instance.project_id, quota_counts([instance.flavor]))
    return {}


def _moved(instance: Instance) -> dict[str, Any]:
    """A cold move counts as undone. On one host, nobody knows what is made there: all is kept, and somebody looks."""
    move = migrations.open_of(instance.uuid)
    if move is None:
        return {}
    moves.reset(instance)
    if move.status == MigrationStatus.PRE_MIGRATING:
        return {}
    row = instances.get(instance.uuid)
    if row.host is not None and move.source_compute != move.dest_compute:
        there = [str(side) for side in (move.dest_compute,) if side not in (None, row.host)]
        resets.bring_back(row, there)
    return {"vm_state": VmState.ERROR}


def _migrated_live(instance: Instance) -> dict[str, Any]:
    move = migrations.open_of(instance.uuid)
    if move is not None:
        moves.ended(instance)
        arrivals.after_lost_word(instances.get(instance.uuid), move)
    return {}


def _evacuated(instance: Instance) -> dict[str, Any]:
    move = migrations.open_of(instance.uuid)
    if move is not None:
        moves.ended(instance)
        resets.bring_back(instance, [] if move.dest_compute is None else [move.dest_compute])
    return {}


def _unshelved(instance: Instance) -> dict[str, Any]:
    """It is on the shelf still; of a host that was making it, it is not."""
    if instance.vm_state != VmState.SHELVED_OFFLOADED or instance.host is None:
        return {}
    values = shelves.homeless(instance)
    resets.leave(instance.replace(**values), instance.host)
    return values


ENDS: dict[str, Callable[[Instance], dict[str, Any]]] = {
    actions.CREATE.name: _built,
    actions.RESTORE.name: _restored,
    actions.RESIZE.name: _moved,
    actions.MIGRATE.name: _moved,
    actions.REVERT_RESIZE.name: _moved,
    actions.LIVE_MIGRATE.name: _migrated_live,
    actions.EVACUATE.name: _evacuated,
    actions.UNSHELVE.name: _unshelved,
}
