"""The ends of live migrations and evacuations: the move and its claims end with the operation."""

from __future__ import annotations

from typing import Any

from nova_lite import exception
from nova_lite.clock import utcnow
from nova_lite.compute import actions
from nova_lite.compute.vm_states import VmState
from nova_lite.conductor import arrivals, moves, resets
from nova_lite.db.api import migrations, operations
from nova_lite.objects import Instance, MigrationStatus, MigrationWish, Operation


def migrated(operation: Operation, instance: Instance, report: dict[str, Any]) -> dict[str, Any]:
    """The guest runs on the destination; its server has been there since it arrived."""
    migration = migrations.of_operation(operation.id)
    if migration is not None:
        moves.succeeded(migration, instance, MigrationStatus.COMPLETED)
    return {"availability_zone": operation.args.get("zone") or instance.availability_zone}


def not_migrated(operation: Operation, instance: Instance) -> dict[str, Any]:
    """The server is as it was, on the host where its row says it is."""
    migration = migrations.of_operation(operation.id)
    if migration is not None and migration.is_open:
        stopped = migration.wish == MigrationWish.ABORT and moves.at_home(migration, instance)
        moves.ended(instance, MigrationStatus.CANCELLED if stopped else MigrationStatus.ERROR)
    return {}


def undo(operation: Operation, instance: Instance, reason: str) -> bool:
    """A source that is stuck: the destination takes back what it made ready, or says that the guest has arrived."""
    if operation.args.get("stage") != "migrate":
        return False
    return give_to_destination(operation, reason)


def give_to_destination(operation: Operation, reason: str) -> bool:
    """The turn ``undo`` of a live migration whose source cannot say what became of it.

    :raises StaleWrite: somebody was quicker.
    """
    row = actions.LIVE_MIGRATE
    failure = {"reason": reason, "details": "", "code": 500}
    args = {**operation.args, "stage": "undo", "failure": failure, "lost": True, "handed_by": operation.attempt}
    operations.finish_event(operation.id, row.stage("migrate").event, "Error", details=reason)
    if not operations.seize(operation, "compute", args, host=operation.args["dest"], timeout_s=row.timeout_s):
        raise exception.StaleWrite(what=f"Operation {operation.id}")
    return True


def given_up(operation: Operation, instance: Instance) -> None:
    """Nobody did its last turn: what is bound goes to where the guest is, as after a reset."""
    arrivals.after_reset(instance, [operation])


def evacuated(operation: Operation, instance: Instance, report: dict[str, Any]) -> dict[str, Any]:
    """The server lives on its new host; the guest on the old one is stale by its generation."""
    args = operation.args
    migration = migrations.of_operation(operation.id)
    if migration is not None:
        moves.succeeded(migration, instance, MigrationStatus.DONE)
    return {
        "host": args["dest"],
        "node": args["dest_node"],
        "generation": args["generation"],
        "availability_zone": args.get("zone") or instance.availability_zone,
        "vm_state": VmState.STOPPED if args["stopped"] else VmState.ACTIVE,
        "launched_at": utcnow(),
        "progress": 0,
    }


def not_evacuated(operation: Operation, instance: Instance) -> dict[str, Any]:
    """The server stays with its dead host, in error. What a host that died half-way left is older than its row.

    When the dead host is back, all that is bound returns to it.
    """
    migration = migrations.of_operation(operation.id)
    if migration is not None and migration.is_open:
        refused = operation.args.get("stage") == "rebuild"
        moves.ended(instance, MigrationStatus.FAILED if refused else MigrationStatus.ERROR)
    asked = operation.args.get("dest")
    row = resets.outdate(instance, [operation]) if operation.args.get("died") else instance
    resets.bring_back(row, [] if asked is None else [asked])
    return {}
