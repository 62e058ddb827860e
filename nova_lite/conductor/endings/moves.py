"""The ends of resizes and cold migrations: the claims, the quota and the server's place end with the operation."""

from __future__ import annotations

from typing import Any

from nova_lite import exception
from nova_lite.clock import utcnow
from nova_lite.compute import actions
from nova_lite.compute.power_states import PowerState
from nova_lite.compute.vm_states import VmState
from nova_lite.conductor import moves, resets
from nova_lite.db.api import instances, migrations, operations
from nova_lite.objects import Instance, MigrationStatus, Operation
from nova_lite.objects.migration import place

# The source said that its guest is there again.
UNDONE = "undone"
# Turns after which the source, or the destination, has done something that must be undone.
_HALF_WAY = ("resize", "finish")


def done(operation: Operation, instance: Instance, report: dict[str, Any]) -> dict[str, Any]:
    """The server arrived, and waits for its user to confirm or revert."""
    moves.reached(instance, MigrationStatus.FINISHED)
    return {"launched_at": utcnow(), "progress": 0}


def failed(operation: Operation, instance: Instance) -> dict[str, Any]:
    """The move is given up; where the source could not take its guest up again, the server is in error."""
    migration = migrations.open_of(instance.uuid)
    lost = operation.args.get("stage") in ("undo", *_HALF_WAY) and UNDONE not in operation.steps
    if migration is not None and migration.operation_id == operation.id:
        moves.ended(_at_source(operation, instance) if lost else instance)
    return {"vm_state": VmState.ERROR} if lost else {}


def undo(operation: Operation, instance: Instance, reason: str) -> bool:
    """A move that got stuck half-way goes back to its source, with the whole time of its row before it once more."""
    if operation.args.get("stage") not in _HALF_WAY:
        return False
    _pass_to_source(operation, instance, reason, {"stage": "undo"})
    return True


def revert_on(operation: Operation, instance: Instance, reason: str) -> bool:
    """A revert that got stuck on its destination goes on at its source, as :func:`undo` does.

    The destination may have removed its copy, so that no other way is open. Nobody knows whether its guest runs: the
    source's stays off.
    """
    if operation.args.get("stage") is not None:
        return False
    _pass_to_source(operation, instance, reason, {"stage": actions.REVERT_RESIZE.stages[0].name, "power_on": False})
    return True


def confirmed(operation: Operation, instance: Instance, report: dict[str, Any]) -> dict[str, Any]:
    """The source forgot the server; whether it runs is what its own host said last."""
    migration = migrations.open_of(instance.uuid)
    if migration is not None:
        moves.succeeded(migration, instance, MigrationStatus.CONFIRMED)
    stopped = instance.power_state in (PowerState.SHUTDOWN, PowerState.CRASHED)
    return {"vm_state": VmState.STOPPED if stopped else VmState.ACTIVE, "power_state": instance.power_state}


def reverted(operation: Operation, instance: Instance, report: dict[str, Any]) -> dict[str, Any]:
    """The server is again where and what it was."""
    migration = migrations.open_of(instance.uuid)
    if migration is not None:
        moves.reverted(migration, instance)
    vm_state = VmState.ACTIVE if operation.args["power_on"] else VmState.STOPPED
    return {"vm_state": vm_state, "launched_at": utcnow()}


def not_reverted(operation: Operation, instance: Instance) -> dict[str, Any]:
    """The server is at its source, in error: whether the destination still has a copy, nobody knows."""
    moves.ended(_at_source(operation, instance))
    return {}


def _pass_to_source(operation: Operation, instance: Instance, reason: str, turn: dict[str, Any]) -> None:
    """``turn`` are the arguments of its turn. :raises StaleWrite: somebody was quicker."""
    row = actions.by_name(operation.action)
    failure = {"reason": reason, "details": "", "code": 500}
    args = {**operation.args, "failure": failure, "handed_by": operation.attempt, **turn}
    operations.finish_event(operation.id, row.stage(operation.args.get("stage")).event, "Error", details=reason)
    if not operations.seize(operation, "compute", args, host=operation.args["old"]["host"], timeout_s=row.timeout_s):
        raise exception.StaleWrite(what=f"Operation {operation.id}")
    _place_at_source(operation, instance)


def _at_source(operation: Operation, instance: Instance) -> Instance:
    """The server's row there; its guest, which was set aside, is brought back, however long that takes."""
    back = _place_at_source(operation, instance)
    there = operation.args["new"]["host"]
    resets.bring_back(back, [there] if there not in (None, back.host) else [], made_here=resets.made_here(operation))
    return back


def _place_at_source(operation: Operation, instance: Instance) -> Instance:
    old = place(operation.args["old"])
    if moves.is_elsewhere(instance, old):
        old["generation"] = instance.generation + 1
    instances.update_if(instance.uuid, old)
    return instances.get(instance.uuid)
