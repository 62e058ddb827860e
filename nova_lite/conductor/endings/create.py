"""The ends of a build."""

from __future__ import annotations

from typing import Any

from nova_lite import exception
from nova_lite.clock import utcnow
from nova_lite.compute import actions
from nova_lite.db.api import allocations, compute_nodes, instances, operations
from nova_lite.objects import Instance, Operation

# How long other services may refuse to take back what a build made, in seconds, before nobody asks again.
_PATIENCE_S = 86_400.0


def done(operation: Operation, instance: Instance, report: dict[str, Any]) -> dict[str, Any]:
    compute_nodes.reset_build_failures(str(operation.host))
    return {"launched_at": utcnow(), "progress": 100}


def failed(operation: Operation, instance: Instance) -> dict[str, Any]:
    """What a scheduler claimed for it holds nothing where no conductor came to write the host down."""
    if instance.host is None:
        allocations.release(instance.uuid)
    return {}


def undo(operation: Operation, instance: Instance, reason: str) -> bool:
    """A build that was not done in time, or whose host died over it, and no other shall try.

    A conductor gives back ports and volumes; the server leaves the host, which removes what it has: that is older now.
    """
    args, turn = operation.args, actions.CREATE.stage(operation.args.get("stage"))
    begun = operation.topic == "compute" or args.get("builds", 0) > 0
    if turn.name == "undo" or not begun:
        return False
    operations.finish_event(operation.id, turn.event, "Error", details=reason)
    undoing = {**args, "stage": "undo", "failure": reason}
    if not operations.seize(operation, "conductor", undoing, timeout_s=_PATIENCE_S):
        raise exception.StaleWrite(what=f"Operation {operation.id}")
    allocations.release(instance.uuid)
    instances.update_if(instance.uuid, {"host": None, "node": None, "generation": instance.generation + 1})
    return True
