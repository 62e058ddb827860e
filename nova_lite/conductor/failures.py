"""How an operation ends without success, and when it is not even tried again; all of it in the caller's transaction.

The one place that obeys what a row of the table says of workers that died (``on_restart``, ``max_retries``): whoever
takes an operation asks here first, a host through the journal or a conductor.
"""

from __future__ import annotations

import logging
from typing import Any

from nova_lite import exception
from nova_lite.compute import actions
from nova_lite.compute.actions import OnRestart
from nova_lite.compute.vm_states import VmState
from nova_lite.conductor.endings import table as endings
from nova_lite.db.api import instances, operations
from nova_lite.objects import Fault, Instance, Operation

LOG = logging.getLogger(__name__)


def row_of(operation: Operation) -> actions.Action:
    """The table's row of an operation. :raises UnreadableObject: no such action, as far as this code knows."""
    if operation.action not in actions.BY_NAME:
        raise exception.UnreadableObject(what=f"Operation {operation.id}", why=f"no action {operation.action!r}")
    return actions.by_name(operation.action, operation.args)


def refuses(operation: Operation, instance: Instance) -> bool:
    """Whether a turn that was just taken is not to be done again: it has ended, or went to who undoes it.

    ``retries`` count the workers that died on the turn. What has no deadline is tried until it is done, however many
    died.

    :raises StaleWrite: it moved or ended meanwhile.
    """
    row, died = row_of(operation), operation.retries
    if not died:
        return False
    if row.timeout_s is not None and died > row.max_retries:
        give_up(operation, instance, f"Given up: {died} workers died on it.")
        return True
    if row.on_restart is OnRestart.FAIL:
        give_up(operation, instance, "Its worker died, and it must not be done twice.")
        return True
    return row.on_restart is OnRestart.UNDO and undoing(operation, instance, "Its worker died.")


def give_up(operation: Operation, instance: Instance, reason: str) -> None:
    """End an open operation that cannot be done, undoing first what is half done.

    :raises StaleWrite: it moved or ended meanwhile.
    """
    LOG.error("Operation %d (%s of %s): %s", operation.id, operation.action, instance.uuid, reason)
    if not undoing(operation, instance, reason):
        given_up = endings.GIVEN_UP.get(row_of(operation).name)
        if given_up is not None:
            given_up(operation, instance)
        end_failed(operation, instance, reason, "", 500)


def undoing(operation: Operation, instance: Instance, reason: str) -> bool:
    """Pass the turn of an operation that got stuck half-way to who undoes it; False: there is nothing to undo.

    :raises StaleWrite: somebody was quicker.
    """
    undo = endings.UNDO.get(row_of(operation).name)
    return undo is not None and undo(operation, instance, reason)


def end_failed(
    operation: Operation,
    instance: Instance,
    reason: str,
    details: str,
    code: int,
    verdict: dict[str, Any] | None = None,
) -> None:
    """Close an operation that cannot be done: the task ends, a fault tells why, the server is as its row says.

    :raises StaleWrite: it moved or ended meanwhile.
    """
    row = row_of(operation)
    values: dict[str, Any] = {"task_state": None} if row.sets_task is not None else {}
    if not row.reverts:
        values["vm_state"] = VmState.ERROR
    ending = endings.FAILED.get(row.name)
    if ending is not None:
        values |= ending(operation, instance)
    if operation.host is not None or row is actions.CREATE:
        event = row.stage(operation.args.get("stage")).event
        operations.finish_event(operation.id, event, "Error", details=reason, traceback=details or None)
    changes = {"verdict": verdict} if verdict is not None else {}
    operations.give_up(operation, reason, **changes)
    # Users read the details of every other code.
    instances.add_fault(instance.uuid, Fault(code, reason[:255], details if code == 500 else "", operation.host))
    instances.update_if(instance.uuid, values)
