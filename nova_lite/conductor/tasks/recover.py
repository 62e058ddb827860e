"""What becomes of operations whose host is down, whose time is up, or whose workers keep dying."""

from __future__ import annotations

import logging
from collections.abc import Callable

from nova_lite import exception
from nova_lite.compute import actions
from nova_lite.conductor import arrivals, failures, journal
from nova_lite.conductor.tasks import cold, evacuate, live_migrate, offload, resized, soft_delete, unshelve
from nova_lite.db.api import allocations, instances, operation_survey, operations
from nova_lite.db.session import retry_on_deadlock, writer
from nova_lite.objects import Instance, Operation

LOG = logging.getLogger(__name__)

_GONE = "The server is gone."
# By action: what becomes of its present turn when the turn's host is down, in the caller's transaction.
WITHOUT_HOST: dict[str, Callable[[Operation, Instance], int | None]] = {
    actions.RESIZE.name: cold.host_down,
    actions.MIGRATE.name: cold.host_down,
    actions.CONFIRM_RESIZE.name: resized.confirm_without_source,
    actions.REVERT_RESIZE.name: resized.revert_without_destination,
    actions.LIVE_MIGRATE.name: live_migrate.without_host,
    actions.EVACUATE.name: evacuate.without_host,
    actions.SHELVE_OFFLOAD.name: offload.leave_dead_host,
    actions.UNSHELVE.name: unshelve.leave_dead_host,
    actions.SOFT_DELETE.name: soft_delete.leave_dead_host,
    actions.SETTLE.name: arrivals.without_host,
}


@retry_on_deadlock
def host_down(operation: Operation, max_builds: int) -> int | None:
    """The operation's host is down: its id when a conductor can go on with it, None when it waits for the host.

    A build goes to another host; a delete is done without the host, which cleans up when it returns; for others see
    ``WITHOUT_HOST``; what only the host can do waits until its deadline.
    """
    row = failures.row_of(operation)
    with writer():
        try:
            instance = instances.get(operation.instance_uuid)
        except exception.InstanceNotFound:
            return None
        if row is actions.CREATE:
            builds = operation.args.get("builds", 0) + 1
            allocations.release(instance.uuid)
            if builds >= max_builds:
                failures.give_up(operation, instance, "The host went down while it built the server.")
                return operation.id
            LOG.warning("Build of %s: host %s is down; trying another", instance.uuid, operation.host)
            journal.send_back(operation, instance, str(operation.host), builds)
            return operation.id
        if row in (actions.DELETE, actions.FORCE_DELETE):
            return operation.id if operations.seize(operation, "conductor") else None
        if row.beside and operation.host != instance.host:
            return _go_after(operation, instance)
        without = WITHOUT_HOST.get(row.name)
        number = without(operation, instance) if without is not None else None
        if number is None:
            operation_survey.remark(operation, _waits(operation))
        return number


def _waits(operation: Operation) -> str:
    """What somebody reads who wonders why nothing happens."""
    why = f"Host {operation.host} is down; this waits for it"
    why += "." if operation.deadline is None else f" until {operation.deadline.isoformat(timespec='seconds')}."
    return why if _is_tried_until_done(operation) else f"{why} An operator may end it (operation cancel)."


def _go_after(operation: Operation, instance: Instance) -> int | None:
    """What runs beside goes after its server, also from where nobody can say that the server has left."""
    topic = "conductor" if instance.host is None else "compute"
    moved = operations.seize(operation, topic, host=instance.host)
    return operation.id if moved and instance.host is None else None


def time_is_up(operation: Operation) -> None:
    """End an operation whose deadline passed."""
    _give_up(operation, "It was not done before its deadline.")


def cancelled(operation: Operation) -> None:
    """End an operation because an operator says so.

    :raises StaleWrite: it moved on meanwhile. :raises Conflict: nothing may stop it.
    """
    what = f"Operation {operation.id} ({operation.action})"
    if _is_tried_until_done(operation):
        raise exception.Conflict(f"{what} is tried until it is done.")
    if operation.action in actions.BESIDE and operation.args.get("stage") == "undo":
        raise exception.Conflict(f"{what} is being taken back already, which is tried until it is done.")
    _give_up(operation, "An operator ended it.")


def _is_tried_until_done(operation: Operation) -> bool:
    """Whether half of it may be done for good, with nobody to take it back.

    What is settled is not: an operator may know better where a guest is.
    """
    return failures.row_of(operation).timeout_s is None and operation.action != actions.SETTLE.name


@retry_on_deadlock
def _give_up(operation: Operation, reason: str) -> None:
    with writer():
        operation = operations.get(operation.id)
        if operation.finish_time is not None:  # meanwhile; who undoes would begin it anew
            return
        try:
            instance = instances.get(operation.instance_uuid)
        except exception.InstanceNotFound:
            operations.give_up(operation, _GONE)
            return
        failures.give_up(operation, instance, reason)


@retry_on_deadlock
def refuses(operation: Operation) -> bool:
    """For a conductor that just took an operation: whether it must not do its turn (see ``failures.refuses``)."""
    with writer():
        try:
            instance = instances.get(operation.instance_uuid)
        except exception.InstanceNotFound:
            return False  # the task knows what that means
        return failures.refuses(operation, instance)


@retry_on_deadlock
def nobodys(operation: Operation) -> None:
    """End an operation whose turn is the conductor's, though its action has none: its server had no host."""
    with writer():
        try:
            instance = instances.get(operation.instance_uuid)
        except exception.InstanceNotFound:
            operations.give_up(operation, _GONE)
            return
        failures.give_up(operation, instance, "The server is on no host that could do it.")
