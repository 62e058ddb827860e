"""Accepting a request: the server's row, its task state, its quota and its operation, in one transaction.

What is accepted here is done or failed with a reason, whatever happens next; what is refused here left no trace.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from nova_lite import exception, quota
from nova_lite.compute import actions
from nova_lite.compute.task_states import TaskState
from nova_lite.compute.vm_states import VmState
from nova_lite.conductor import arrivals, evacuations, moves, rebuilds, resets
from nova_lite.context import RequestContext
from nova_lite.db.api import allocations, instances, migrations, operations, server_groups
from nova_lite.db.session import retry_on_deadlock, writer
from nova_lite.objects import Instance, OperationState
from nova_lite.objects.flavor import quota_counts

SUPERSEDED = "Superseded by a later request: %s"
# What nothing supersedes.
_DELETES = (actions.DELETE.name, actions.FORCE_DELETE.name)
# Actions that make or remove a server's disks, and the states in which they are at it.
_REMAKES = {
    actions.REBUILD.name: actions.ANY_STATE,
    actions.SHELVE.name: {VmState.SHELVED},
    actions.SHELVE_OFFLOAD.name: {VmState.SHELVED},
    actions.UNSHELVE.name: {VmState.SHELVED_OFFLOADED},
}


@retry_on_deadlock
def create(
    ctxt: RequestContext, builds: Sequence[tuple[Instance, Mapping[str, Any]]], first: Callable[[], None] | None = None
) -> list[int]:
    """Write the servers of one request and an operation for each; the operations' ids.

    ``first`` is called before all else in the transaction, which does not happen when it raises.

    :raises OverQuota: the project, the user or the servers' group may not have so many.
    """
    row = actions.CREATE
    with writer():
        if first is not None:
            first()
        counts = quota_counts(instance.flavor for instance, _ in builds)
        quota.reserve(str(ctxt.project_id), counts, user_id=str(ctxt.user_id))
        _join_group(ctxt, [instance for instance, _ in builds])
        ids = []
        for instance, args in builds:
            instances.insert(instance)
            ids.append(_open(ctxt, instance.uuid, row, topic="conductor", host=None, args=args))
        return ids


def _join_group(ctxt: RequestContext, servers: Sequence[Instance]) -> None:
    """The servers of one request are all members of the same group, or of none."""
    group = servers[0].server_group
    if group is not None:
        user_id = str(ctxt.user_id)
        limits = quota.limits(str(ctxt.project_id), user_id=user_id)
        server_groups.admit(group, user_id, len(servers), limits)


@retry_on_deadlock
def action(
    ctxt: RequestContext,
    instance: Instance,
    row: actions.Action,
    args: Mapping[str, Any],
    *,
    values: Mapping[str, Any] | None = None,
    host: str | None = None,
    also: Callable[[int], None] | None = None,
) -> tuple[int, str | None]:
    """Swap the task state and write the operation; its id and whose turn it is (a host, or None for the conductors).

    ``values`` change with it; ``host`` is where the work is done if not on the server's own; ``also`` is called with
    the operation's id inside the transaction.

    :raises InstanceInvalidState, InstanceNotLaunched: the server's state, as it is in the database now, forbids it.
    :raises InstanceNotFound: it was deleted meanwhile. :raises GuestMayHaveMoved, ComputeServiceInUse: an evacuation's.
    """
    with writer():
        swapped = instances.update_if(
            instance.uuid,
            ({} if row.sets_task is None else {"task_state": row.sets_task}) | dict(values or {}),
            vm_state=tuple(row.vm_states),
            task_state=tuple(row.task_states),
        )
        fresh = instances.get(instance.uuid)
        if not swapped:
            check(row, fresh)
            raise exception.StaleWrite(what=f"Instance {instance.uuid}")
        if row.task_states != actions.IDLE:
            _refuse_while_deleted(instance.uuid, row)
            spare = moves.TAKEN_ALONG if row is actions.EVACUATE else actions.BESIDE
            ended = operations.end_open(instance.uuid, SUPERSEDED % row.name, spare=spare)
            if row is actions.EVACUATE:
                evacuations.supersede(fresh, ended)
        turn = None if row.place is actions.Place.CONDUCTOR else host or fresh.host
        topic = "conductor" if turn is None else "compute"
        operation_id = _open(ctxt, instance.uuid, row, topic=topic, host=turn, args=args)
        if also is not None:
            also(operation_id)
        return operation_id, turn


@retry_on_deadlock
def delete(
    ctxt: RequestContext, instance: Instance, row: actions.Action, dead_hosts: frozenset[str], **expected: Any
) -> tuple[int, str | None] | None:
    """Accept a delete, which wins over whatever runs: operation and host; None when one is under way already.

    A server without a host, or whose host is down, is deleted by a conductor alone; the host cleans up when it returns.
    ``row`` may be the soft delete, which a delete for good supersedes, and not the other way round. What cannot be
    restored is deleted for good.

    :raises InstanceNotFound: it is gone, or its fields are not as ``expected``.
    """
    with writer():
        if not instances.update_if(instance.uuid, {"task_state": row.sets_task}, **expected):
            raise exception.InstanceNotFound(instance_uuid=instance.uuid)
        if row is actions.SOFT_DELETE and not _can_be_restored(instances.get(instance.uuid)):
            row = actions.DELETE
            instances.update_if(instance.uuid, {"task_state": row.sets_task})
        for operation in operations.open_for_instance(instance.uuid):
            if operation.action in (row.name, *_DELETES):
                instances.update_if(instance.uuid, {"task_state": actions.by_name(operation.action).sets_task})
                return None
            if operation.action == actions.RESTORE.name:
                quota.release(instance.project_id, quota_counts([instance.flavor]))
        spare = actions.BESIDE if row is actions.SOFT_DELETE else ()
        operations.end_open(instance.uuid, SUPERSEDED % row.name, spare=spare)
        host = instances.get(instance.uuid).host
        if host in dead_hosts:
            host = None
        topic = "conductor" if host is None else "compute"
        args = {"also": _elsewhere(instance.uuid, {*dead_hosts, host})}
        return _open(ctxt, instance.uuid, row, topic=topic, host=host, args=args), host


def _can_be_restored(instance: Instance) -> bool:
    """Not what never ran, has no host to be restored on, is between two hosts, or whose disks are half made."""
    settled = instance.host is not None and instance.launched_at is not None
    at_work = operations.open_for_instance(instance.uuid)
    whole = not any(instance.vm_state in _REMAKES.get(each.action, ()) for each in at_work)
    return settled and whole and migrations.open_of(instance.uuid) is None


def _elsewhere(instance_uuid: str, but: Collection[str | None]) -> list[str]:
    """The other hosts of a move that has not ended: they keep something of the server, too."""
    migration = migrations.open_of(instance_uuid)
    places = set() if migration is None else {migration.source_compute, migration.dest_compute}
    return sorted(place for place in places - {None, *but} if place is not None)


@retry_on_deadlock
def at_once(
    ctxt: RequestContext, instance: Instance, row: actions.Action, values: Mapping[str, Any],
    args: Mapping[str, Any] | None = None,
) -> None:  # fmt: skip
    """An action the API does by itself: change the row and keep a finished operation as its history.

    A server that is being deleted goes on being deleted, whatever task state ``values`` have.

    :raises InstanceNotFound: it was deleted meanwhile.
    """
    with writer():
        before = instances.locked(instance.uuid)
        if "vm_state" in values and not quota.counts(before):
            quota.count_again(instance.project_id, quota_counts([instance.flavor]))
        deleting = "task_state" in values and _is_being_deleted(instance.uuid)
        new = {**values, "task_state": TaskState.DELETING} if deleting else dict(values)
        if not instances.update_if(instance.uuid, new):
            raise exception.InstanceNotFound(instance_uuid=instance.uuid)
        if "task_state" in values:
            ended = operations.end_open(instance.uuid, SUPERSEDED % row.name, spare=(*actions.BESIDE, *_DELETES))
            given_up = resets.given_up(ended)
            rebuilds.put_back(given_up)
            fresh = instances.get(instance.uuid)
            arrivals.after_reset(fresh, given_up)
            moves.reset(fresh)
            resets.after_reset(instances.get(instance.uuid), given_up)
            fresh = instances.get(instance.uuid)
            if resets.is_on_the_shelf(before, fresh):
                instances.update_if(fresh.uuid, {"vm_state": resets.shelf_of(fresh)})
            if fresh.host is None:
                allocations.release(fresh.uuid)  # nobody brings it to the host that a scheduler may have claimed
        _open(ctxt, instance.uuid, row, topic="api", host=None, args=args or {}, state=OperationState.DONE)


def check(row: actions.Action, instance: Instance) -> None:
    """Say why a server's state forbids an action.

    :raises InstanceInvalidState, InstanceNotLaunched: it does.
    """
    refusal = actions.refusal(row, instance.vm_state, instance.task_state, instance.launched_at is not None)
    if refusal is None:
        return
    # Nova names a state only where there is one: what needs a task, and finds none, is refused without its name.
    if refusal.attribute == "launched_at" or refusal.state == "None":
        raise exception.InstanceNotLaunched(verb=row.verb, instance_uuid=instance.uuid)
    raise exception.InstanceInvalidState(
        verb=row.verb, instance_uuid=instance.uuid, attribute=refusal.attribute, state=refusal.state
    )


def _refuse_while_deleted(instance_uuid: str, row: actions.Action) -> None:
    """:raises InstanceInvalidState: a delete was accepted, which nothing supersedes."""
    if _is_being_deleted(instance_uuid):
        raise exception.InstanceInvalidState(
            verb=row.verb, instance_uuid=instance_uuid, attribute="task_state", state=TaskState.DELETING
        )


def _is_being_deleted(instance_uuid: str) -> bool:
    return any(operation.action in _DELETES for operation in operations.open_for_instance(instance_uuid))


def _open(
    ctxt: RequestContext,
    instance_uuid: str,
    row: actions.Action,
    topic: str,
    host: str | None,
    args: Mapping[str, Any],
    state: OperationState = OperationState.PENDING,
) -> int:
    return operations.insert_pending(
        request_id=ctxt.request_id,
        instance_uuid=instance_uuid,
        action=row.name,
        project_id=str(ctxt.project_id or ""),
        user_id=str(ctxt.user_id or ""),
        topic=topic,
        host=host,
        args=args,
        timeout_s=row.timeout_s,
        state=state,
    )
