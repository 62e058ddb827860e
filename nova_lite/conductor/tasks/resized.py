"""Confirmations and reverts where a conductor has the turn, because the host that should have it is dead."""

from __future__ import annotations

from nova_lite.compute import actions
from nova_lite.compute.rpcapi import ComputeRpcAPI
from nova_lite.conductor import journal
from nova_lite.context import RequestContext
from nova_lite.db.api import instances, operations
from nova_lite.objects import Instance, Operation
from nova_lite.objects.migration import place


def confirm_without_source(operation: Operation, instance: Instance) -> int | None:
    """The source cleans up when it is back: its disks are of an older generation."""
    if operation.host == instance.host:
        return None
    return operation.id if operations.seize(operation, "conductor") else None


def revert_without_destination(operation: Operation, instance: Instance) -> int | None:
    """The destination cleans up when it is back; the source goes on at once."""
    if operation.args.get("stage") is not None or operation.host == operation.args["old"]["host"]:
        return None
    return operation.id if operations.seize(operation, "conductor") else None


def confirm(ctxt: RequestContext, operation: Operation) -> None:
    """End a confirmation that its dead source has left to the conductors."""
    instance = instances.get(operation.instance_uuid)
    journal.finish(operation.id, operation.attempt, instance.power_state, {})


class RevertTask:
    """Passes a revert on to the source, when the destination is dead."""

    def __init__(self, compute: ComputeRpcAPI) -> None:
        self._compute = compute

    def execute(self, ctxt: RequestContext, operation: Operation) -> None:
        old = place(operation.args["old"])
        journal.hand_over(operation.id, operation.attempt, actions.REVERT_RESIZE.stages[0].name, old["host"], old, {})
        self._compute.run_operation(ctxt, old["host"], operation.id)
