"""What hosts say of guests: what they shall do with those that they found, and what becomes of the servers' rows."""

from __future__ import annotations

import datetime
import logging
from collections.abc import Collection, Iterable
from typing import Any

from nova_lite.compute import custody, power_sync
from nova_lite.compute.custody import Place, Power, Verdict
from nova_lite.compute.power_states import PowerState
from nova_lite.compute.task_states import TaskState
from nova_lite.compute.vm_states import VmState
from nova_lite.conductor import live_moves
from nova_lite.db.api import instances, migrations, operations
from nova_lite.objects import Instance, Presence

LOG = logging.getLogger(__name__)

_WITHOUT_PROCESS = (PowerState.NOSTATE, PowerState.SHUTDOWN, PowerState.CRASHED)
_BUILT_AGAIN = (TaskState.REBUILDING, TaskState.REBUILD_BLOCK_DEVICE_MAPPING, TaskState.REBUILD_SPAWNING)
# What a server may be whose guest was booted for a rescue, or shall be after it, though its row does not say so.
_MAY_BE_RESCUED = (VmState.ACTIVE, VmState.STOPPED)
# Servers that are here and shall not run.
_AT_REST: dict[str, Place] = {VmState.STOPPED: Place.STOPPED, VmState.SOFT_DELETED: Place.SOFT_DELETED}


def judge(host: str, found: Iterable[Presence]) -> dict[str, Any]:
    """What a host shall do with what it found of servers: ``rulings`` by uuid (verdict, place, power, why).

    See :mod:`nova_lite.compute.custody`. ``servers`` are those of which something shall be changed, as far as there are
    rows; ``evacuated`` were built elsewhere while this host was dead and it has not yet said that nothing is left here.
    """
    presences = [each for each in found if each.has_guest or each.has_disks]
    rows = {row.uuid: row for row in instances.get_many([each.uuid for each in presences], include_deleted=True)}
    leaving = migrations.leaving(host)
    rulings: dict[str, dict[str, str]] = {}
    changing: list[Instance] = []
    for presence in presences:
        row = _as_it_is(rows.get(presence.uuid), host, presence)
        place, power = _place(row, host, leaving, presence), _power(presence)
        mark = custody.mark_of(presence.generation, row.generation if row else None, presence.has_guest)
        rule = custody.judge(place, mark, power)
        verdict = rule.verdict
        if row is not None and verdict is Verdict.FOLLOW:
            live_moves.followed(row, host)
            verdict = Verdict.LEAVE
        rulings[presence.uuid] = {"verdict": verdict, "place": place, "power": power, "why": rule.why}
        if row is not None and verdict in (Verdict.STOP, Verdict.QUARANTINE, Verdict.DESTROY):
            changing.append(row)
    gone = [migration.instance_uuid for migration in migrations.evacuated(host)]
    return {"rulings": rulings, "servers": changing, "evacuated": gone}


def _as_it_is(row: Instance | None, host: str, presence: Presence) -> Instance | None:
    return None if row is None else live_moves.as_outlived(_after_rescue(row, host, presence), host, presence)


def _after_rescue(row: Instance, host: str, presence: Presence) -> Instance:
    """The row as it is when it says what the guest boots from.

    A rescue, or the end of one, that was given up in the middle may have come about all the same. Only who has the
    server's lock says what its guest boots from; a server that is busy, or in error, is left alone.
    """
    if presence.rescued is None or row.host != host or row.task_state is not None:
        return row
    if row.generation != presence.generation or row.vm_state not in (VmState.RESCUED, *_MAY_BE_RESCUED):
        return row
    if presence.rescued == (row.vm_state == VmState.RESCUED):
        return row
    state = presence.power_state if presence.power_state is not None else int(PowerState.NOSTATE)
    values = {"vm_state": VmState.RESCUED, "power_state": state}
    if not presence.rescued:
        values["vm_state"] = VmState.STOPPED if state in _WITHOUT_PROCESS else VmState.ACTIVE
    same: dict[str, Any] = {"host": host, "task_state": None, "vm_state": row.vm_state, "generation": row.generation}
    if not instances.update_if(row.uuid, values, **same):
        return row
    LOG.warning("Server %s was %s: its guest on %s says %s", row.uuid, row.vm_state, host, values)
    return row.replace(**values)


def _place(row: Instance | None, host: str, leaving: Collection[str], presence: Presence) -> Place:
    if row is None:
        return Place.ABSENT
    if row.is_deleted:
        return Place.DELETED
    if row.host != host:
        if _may_return(row.uuid, host) or _is_worked_on(row.uuid, host):
            return Place.MOVING
        if live_moves.may_have_only_copy(row, host, presence):
            return Place.UNPROVED
        return Place.SENT if live_moves.has_come(row, host, presence) else Place.ELSEWHERE
    if row.uuid in leaving and row.task_state in _BUILT_AGAIN:
        return Place.EVACUATING
    if row.task_state is None:
        return _AT_REST.get(row.vm_state, Place.HERE)
    return Place.HERE


def _power(presence: Presence) -> Power:
    if not presence.has_guest:
        return Power.DISKS
    return Power.OFF if presence.power_state in _WITHOUT_PROCESS else Power.RUNNING


def _may_return(instance_uuid: str, host: str) -> bool:
    """Whether a server has left the host on a move that may still be reverted or undone there."""
    migration = migrations.open_of(instance_uuid)
    return migration is not None and migration.source_compute == host and migration.is_cold


def _is_worked_on(instance_uuid: str, host: str) -> bool:
    """Whether an operation has its turn here, or a live move that is under way begins or ends here."""
    underway = operations.open_for_instance(instance_uuid)
    if any(operation.host == host for operation in underway):
        return True
    migration = migrations.open_of(instance_uuid)
    if migration is None or host not in (migration.source_compute, migration.dest_compute):
        return False
    return any(operation.id == migration.operation_id for operation in underway)


def written_at(instance_uuid: str) -> datetime.datetime | None:
    """When a server's row was last written: what a host's word on its guest refers to; None where there is no row."""
    found = instances.get_many([instance_uuid])
    return found[0].updated_at if found else None


def report_power_state(host: str, instance_uuid: str, state: int, written_at: datetime.datetime | None) -> bool:
    """The hypervisor's word on a guest to which nothing is being done; a server that is busy is left alone.

    Whether it runs and shall not. A word that was said before the row was last written is out of date, however long
    it was under way: it may be of a guest that a user has started since.
    """
    instance = next(iter(instances.get_many([instance_uuid])), None)
    if instance is None or instance.updated_at != written_at:
        return False
    if instance.host != host or instance.task_state is not None or instance.launched_at is None:
        return False
    values = power_sync.values(instance, state)
    unchanged: dict[str, Any] = {
        "host": host, "task_state": None, "vm_state": instance.vm_state, "updated_at": written_at,
    }  # fmt: skip
    undecided = live_moves.is_undecided(instance)
    if values and not undecided and instances.update_if(instance.uuid, values, **unchanged):
        LOG.info("Server %s on %s: the hypervisor says %s", instance.uuid, host, values)
    return instance.vm_state in _AT_REST and state not in _WITHOUT_PROCESS
