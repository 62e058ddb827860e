"""What a compute host writes, it writes through here: each write proves first that its writer holds the operation.

The row of the action says what the end looks like; a host only reports what it did and what the hypervisor says.
"""

from __future__ import annotations

import logging
from typing import Any

from nova_lite import exception, quota
from nova_lite.compute.task_states import TaskState
from nova_lite.conductor import arrivals, failures, moves, poison
from nova_lite.conductor.endings import table as endings
from nova_lite.conductor.endings import volumes
from nova_lite.db.api import allocations, compute_nodes, console_tokens, instances, operations
from nova_lite.db.session import retry_on_deadlock, writer
from nova_lite.objects import Instance, Operation, OperationState
from nova_lite.objects.flavor import quota_counts

LOG = logging.getLogger(__name__)

# How long work rests, in seconds, whose server may have a guest on either side of a live migration.
_UNDECIDED_S = 2.0


def take(operation_id: int, owner: str, lease_s: float, host: str) -> tuple[Operation, Instance] | None:
    """A host takes its turn; None when there is nothing to do (taken, ended, or the server is gone or elsewhere).

    Nothing is to do, either, where nobody here can read what there is to do.
    """
    try:
        return _take(operation_id, owner, lease_s, host)
    except exception.UnreadableObject as error:
        poison.shun(operation_id, error)
        return None


@retry_on_deadlock
def _take(operation_id: int, owner: str, lease_s: float, host: str) -> tuple[Operation, Instance] | None:
    with writer():
        operation = operations.take(operation_id, owner, lease_s, "compute", host)
        if operation is None:
            return None
        instance = _instance(operation)
        row = failures.row_of(operation)
        if instance is None or not _is_here(operation, instance):
            _leave(operation, instance)
            return None
        wait = _why_not_yet(operation, instance) if row.sets_task is not None else _why_not_beside(operation)
        if wait is not None:
            operations.pause(operation.id, operation.attempt, _UNDECIDED_S, wait)
            return None
        if failures.refuses(operation, instance):
            return None
        stage = row.stage(operation.args.get("stage"))
        if stage.task is not None:
            instances.update_if(instance.uuid, {"task_state": stage.task})
            instance = instance.replace(task_state=stage.task)
        if stage.move is not None:
            moves.reached(instance, stage.move)
        operations.start_event(operation.id, stage.event, host)
        return operation, instance


def _why_not_yet(operation: Operation, instance: Instance) -> str | None:
    """What must be known, or gone, before a server's task goes on."""
    if instance.launched_at is not None and arrivals.is_undecided(instance):
        return "It is not known yet where the guest is."
    if moves.is_in_the_way(instance):
        return "What a move made here has not gone yet."
    if volumes.is_in_the_way(operation):
        return "It is not known yet which volume the guest has."
    return None


def _why_not_beside(operation: Operation) -> str | None:
    return "The server is being built again elsewhere." if moves.takes_along(operation) else None


@retry_on_deadlock
def prove(operation_id: int, attempt: int) -> None:
    """The turn is the caller's still. :raises StaleWrite: it is not."""
    with writer():
        operations.hold(operation_id, attempt)


@retry_on_deadlock
def look_again(operation_id: int, attempt: int) -> Instance:
    """The server as it is now, for a worker that took its turn while another had the server.

    :raises StaleWrite: the turn is somebody else's, or the server is gone or elsewhere.
    """
    with writer():
        operations.hold(operation_id, attempt)
        operation = operations.get(operation_id)
        instance = _instance(operation)
        here = instance is not None and _is_here(operation, instance)
        if not here:
            _leave(operation, instance)
    if instance is None or not here:
        raise exception.StaleWrite(what=f"Operation {operation_id}")
    return instance


def _is_here(operation: Operation, instance: Instance) -> bool:
    if arrivals.has_gone_before(operation, instance):
        return False
    if arrivals.is_asked(operation, instance):
        return True
    return instance.host == operation.host or failures.row_of(operation).off_home


def _leave(operation: Operation, instance: Instance | None) -> None:
    """The server went away while its host had other work: what runs beside goes after it, the rest is too late."""
    if instance is None:
        operations.give_up(operation, "The server is gone.")
    elif failures.row_of(operation).beside:
        topic = "conductor" if instance.host is None else "compute"
        operations.hand_over(operation.id, operation.attempt, topic, instance.host, operation.args)
    else:
        failures.end_failed(operation, instance, "The server is no longer here.", "", 409)


@retry_on_deadlock
def progress(operation_id: int, attempt: int, step: str, values: dict[str, Any], number: int | None = None) -> None:
    """A step is done; :raises StaleWrite: the writer was overtaken and must undo what it did.

    ``number``: words of an attempt's worker are numbered. One that was said again because it was under way for too
    long, and arrives after later ones, changes nothing.
    """
    with writer():
        operation = operations.get(operation_id)
        steps = [*(name for name in operation.steps if name != step), step]
        if number is None:
            operations.hold(operation_id, attempt, steps=steps)
        elif not operations.hear(operation_id, attempt, number, steps=steps):
            return
        stands = endings.NOTED.get((operation.action, step))
        if stands is not None:
            stands(operation)
        if values:
            _update(operation.instance_uuid, _reported(operation, values))


@retry_on_deadlock
def hand_over(
    operation_id: int, attempt: int, stage: str, host: str | None, values: dict[str, Any], more: dict[str, Any]
) -> None:
    """A turn is done and the next one is ``host``'s (None: any conductor's), with the server's fields it changes.

    ``more`` are added to the operation's arguments; a ``failure`` among them says why the turn failed. A server that
    gets another host or flavor gets another generation with it. Said twice (an answer was lost) it changes nothing.

    :raises StaleWrite: as progress.
    """
    with writer():
        operation = operations.locked(operation_id)
        if (operation.args.get("stage"), operation.args.get("handed_by")) == (stage, attempt):
            return
        handed = operation.args.get("handed", ())
        if attempt in handed:  # whoever had the next turn has passed it on, too, before this was said again
            return
        present = failures.row_of(operation).stage(operation.args.get("stage"))
        if "failure" in more:
            why = more["failure"]
            operations.finish_event(operation.id, present.event, "Error", why["reason"], why["details"] or None)
        else:
            operations.finish_event(operation.id, present.event, "Success")
        topic = "conductor" if host is None else "compute"
        args = {**operation.args, **more, "stage": stage, "handed_by": attempt, "handed": [*handed, attempt]}
        operations.hand_over(operation_id, attempt, topic, host, args)
        instance = instances.get(operation.instance_uuid)
        if moves.is_elsewhere(instance, values):
            values = {**values, "generation": instance.generation + 1}
            console_tokens.forget(instance.uuid)
        if values:
            _update(instance.uuid, _reported(operation, values))


@retry_on_deadlock
def finish(operation_id: int, attempt: int, power_state: int | None, report: dict[str, Any]) -> None:
    """The action succeeded; said twice (an answer was lost) it changes nothing. :raises StaleWrite: as progress.

    ``report`` are fields of the server that its host changed; a ``power_state`` of None is not known to the caller.
    """
    with writer():
        if operations.ended_by(operation_id, attempt):
            return
        operations.finish(operation_id, attempt, OperationState.DONE)
        operation = operations.get(operation_id)
        row = failures.row_of(operation)
        values: dict[str, Any] = {} if power_state is None else {"power_state": power_state}
        if row.sets_task is not None:
            values["task_state"] = None
        if row.ends_in is not None:
            values["vm_state"] = row.ends_in
        values |= _reported(operation, report)
        instance = _instance(operation)
        if instance is None:
            raise exception.StaleWrite(what=f"Instance {operation.instance_uuid}")
        ending = endings.DONE.get(row.name)
        if ending is not None:
            values |= ending(operation, instance, report)
        for after in endings.AFTER:
            values |= after(instance, values)
        _update(instance.uuid, values)


def rest(operation: Operation, message: str) -> None:
    """Put an operation down that cannot go on now, for as long as its row says. :raises StaleWrite: see progress."""
    seconds = failures.row_of(operation).backoff.rest_s(operation.rests, operation.id)
    operations.pause(operation.id, operation.attempt, seconds, message)


@retry_on_deadlock
def fail(
    operation_id: int, attempt: int, reason: str, details: str, code: int, verdict: dict[str, Any] | None = None
) -> None:
    """The action failed for good; ``verdict`` is the scheduler's. :raises StaleWrite: see :func:`progress`."""
    with writer():
        operations.hold(operation_id, attempt)
        operation = operations.get(operation_id)
        instance = _instance(operation)
        if instance is None:
            operations.give_up(operation, "The server is gone.")
        else:
            failures.end_failed(operation, instance, reason, details, code, verdict)


@retry_on_deadlock
def refuse_build(operation_id: int, attempt: int, reason: str, details: str, max_builds: int, retry: bool) -> bool:
    """A host could not build and has undone what it did: another host's turn (True), or the end (False)."""
    with writer():
        operations.hold(operation_id, attempt)
        operation = operations.get(operation_id)
        instance = _instance(operation)
        if instance is None:
            raise exception.StaleWrite(what=f"Operation {operation_id}")
        compute_nodes.count_build_failure(str(operation.host))
        allocations.release(instance.uuid)
        builds = operation.args.get("builds", 0) + 1
        if not retry or builds >= max_builds:
            homeless = {"host": None, "node": None} if retry else {}
            instances.update_if(instance.uuid, {"network_info": (), **homeless})
            text = reason if not retry else f"Exceeded maximum number of retries. Last error: {reason}"
            failures.end_failed(operation, instance, text, details, 500)
            return False
        send_back(operation, instance, str(operation.host), builds)
        event = failures.row_of(operation).event
        operations.finish_event(operation.id, event, "Error", details=reason, traceback=details)
        return True


def send_back(operation: Operation, instance: Instance, host: str, builds: int) -> None:
    """A build returns to the conductors, never to go to ``host`` again."""
    args = dict(operation.args)
    args["ignore_hosts"] = sorted({*args.get("ignore_hosts", []), host})
    args["builds"] = builds
    args["reschedules"] = args.get("reschedules", 0) + 1
    values = {"host": None, "node": None, "task_state": TaskState.SCHEDULING, "network_info": (), "power_state": 0}
    instances.update_if(instance.uuid, {**values, "generation": instance.generation + 1})
    if operation.state is OperationState.RUNNING:
        operations.hand_over(operation.id, operation.attempt, "conductor", None, args)
    elif not operations.seize(operation, "conductor", args):
        raise exception.StaleWrite(what=f"Operation {operation.id}")


@retry_on_deadlock
def finish_delete(operation_id: int, attempt: int) -> None:
    """The end of a delete: claims and quota given back, the row a tombstone, the operation done.

    :raises StaleWrite: this worker was overtaken.
    """
    with writer():
        if operations.ended_by(operation_id, attempt):
            return
        operations.finish(operation_id, attempt, OperationState.DONE)
        instance = _instance(operations.get(operation_id))
        if instance is None:
            return
        allocations.release(instance.uuid)
        for give_back in endings.GONE:
            give_back(instance)
        if instances.tombstone(instance.uuid) and quota.counts(instance):
            quota.release(instance.project_id, quota_counts([instance.flavor]))


def _instance(operation: Operation) -> Instance | None:
    try:
        return instances.get(operation.instance_uuid)
    except exception.InstanceNotFound:
        return None


def _reported(operation: Operation, values: dict[str, Any]) -> dict[str, Any]:
    """What a host says of a server, less what it cannot know: its devices may have changed since it looked."""
    if "block_devices" not in values:
        return values
    return {**values, "block_devices": volumes.as_reported(operation.instance_uuid, values["block_devices"])}


def _update(instance_uuid: str, values: dict[str, Any]) -> None:
    if not instances.update_if(instance_uuid, values):
        raise exception.StaleWrite(what=f"Instance {instance_uuid}")
