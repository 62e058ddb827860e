"""What becomes of operations whose host is down, whose time is up, or whose workers keep dying."""

from __future__ import annotations

import logging
from collections.abc import Callable

from nova_lite import exception
from nova_lite.compute import actions
from nova_lite.compute.vm_states import VmState
from nova_lite.conductor import journal
from nova_lite.conductor.tasks import cold, evacuate, live_migrate, soft_delete, unshelve
from nova_lite.db.api import allocations, instances, operations
from nova_lite.db.session import retry_on_deadlock, writer
from nova_lite.objects import Fault, Instance, Operation, OperationState

LOG = logging.getLogger(__name__)

# By action: what becomes of its present turn when the turn's host is down, in the caller's transaction.
WITHOUT_HOST: dict[str, Callable[[Operation, Instance], int | None]] = {
    actions.RESIZE.name: cold.host_down,
    actions.MIGRATE.name: cold.host_down,
    actions.CONFIRM_RESIZE.name: cold.confirm_without_source,
    actions.REVERT_RESIZE.name: cold.revert_without_destination,
    actions.LIVE_MIGRATE.name: live_migrate.without_host,
    actions.EVACUATE.name: evacuate.without_host,
    actions.UNSHELVE.name: unshelve.leave_dead_host,
    actions.SOFT_DELETE.name: soft_delete.leave_dead_host,
}


@retry_on_deadlock
def host_down(operation: Operation, max_builds: int) -> int | None:
    """The operation's host is down: its id when a conductor can go on with it, None when it waits for the host.

    A build goes to another host; a delete is done without the host, which cleans up when it returns; for others see
    ``WITHOUT_HOST``; what only the host can do waits until its deadline.
    """
    row = journal.row_of(operation)
    with writer():
        try:
            instance = instances.get(operation.instance_uuid)
        except exception.InstanceNotFound:
            return None
        if row is actions.CREATE:
            builds = operation.args.get("builds", 0) + 1
            allocations.release(instance.uuid)
            if builds >= max_builds:
                journal.end_failed(operation, instance, "The host went down while it built the server.", "", 500)
                return None
            LOG.warning("Build of %s: host %s is down; trying another", instance.uuid, operation.host)
            journal.send_back(operation, instance, str(operation.host), builds)
            return operation.id
        if row in (actions.DELETE, actions.FORCE_DELETE):
            return operation.id if operations.seize(operation, "conductor") else None
        without = WITHOUT_HOST.get(row.name)
        return without(operation, instance) if without is not None else None


@retry_on_deadlock
def time_is_up(operation: Operation) -> None:
    """End an operation whose deadline passed."""
    with writer():
        operation = operations.get(operation.id)
        if operation.finish_time is not None:
            return
        if operation.state is OperationState.PENDING and not operations.seize(operation, operation.topic):
            return
        _end(operations.get(operation.id), "It was not done before its deadline.")


@retry_on_deadlock
def poisoned(operation: Operation) -> bool:
    """End an operation that killed too many workers; False when it did not."""
    row = journal.row_of(operation)
    if row.timeout_s is None or operation.retries <= row.max_retries:
        return False
    with writer():
        _end(operation, f"Given up: {operation.retries} workers died on it.")
    return True


def _end(operation: Operation, reason: str) -> None:
    try:
        instance = instances.get(operation.instance_uuid)
    except exception.InstanceNotFound:
        operations.end_open(operation.instance_uuid, "The server is gone.")
        return
    LOG.error("Operation %d (%s of %s): %s", operation.id, operation.action, instance.uuid, reason)
    if journal.undoing(operation, instance, reason):
        return
    operations.end_open(instance.uuid, reason)
    values: dict[str, object] = {"task_state": None, **journal.failing(operation, instance)}
    if not journal.row_of(operation).reverts:
        values["vm_state"] = VmState.ERROR
    if values.get("vm_state") == VmState.ERROR:
        instances.add_fault(instance.uuid, Fault(500, reason, "", operation.host))
    instances.update_if(instance.uuid, values)
