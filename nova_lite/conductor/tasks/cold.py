"""Resizes and cold migrations where a conductor has the turn: choosing the destination, and going on without a host."""

from __future__ import annotations

import logging
from typing import Any

from nova_lite import exception
from nova_lite.compute.rpcapi import ComputeRpcAPI
from nova_lite.conductor import journal, moves
from nova_lite.conductor.endings.moves import undo
from nova_lite.conductor.tasks.destination import unclaim
from nova_lite.conductor.tasks.placement import ask, request_spec, verdict_of
from nova_lite.context import RequestContext
from nova_lite.db.api import compute_nodes, instances, migrations, operations
from nova_lite.db.session import retry_on_deadlock, writer
from nova_lite.objects import Instance, Migration, Operation, OperationState, Placement, Selection
from nova_lite.objects.migration import place
from nova_lite.scheduler.api import API as SchedulerAPI

LOG = logging.getLogger(__name__)


class ColdMoveTask:
    """Runs operations of ``resize`` and ``migrate`` whose turn is the conductor's."""

    def __init__(self, scheduler: SchedulerAPI, compute: ComputeRpcAPI) -> None:
        self._scheduler = scheduler
        self._compute = compute

    def execute(self, ctxt: RequestContext, operation: Operation) -> None:
        """Choose the destination and pass the turn to it. :raises StaleWrite: overtaken; no claim is left behind."""
        try:
            instance = instances.get(operation.instance_uuid)
        except exception.InstanceNotFound:
            operations.finish(operation.id, operation.attempt, OperationState.FAILED, "The server is gone.")
            return
        if operation.args.get("stage") == "clear":
            why = operation.args["failure"]
            journal.fail(operation.id, operation.attempt, why["reason"], why["details"], why["code"])
            return
        migration = _own_move(operation)
        if operation.args.get("stage") == "schedule":
            _give_up_destination(operation, migration)
        target = place(operation.args["new"])["flavor"]
        spec = request_spec(operation, instance.replace(flavor=target))
        placement = ask(self._scheduler, ctxt, operation, spec)
        if placement is None:
            return
        if not placement.selections:
            _no_valid_host(operation, instance, placement)
            return
        chosen = placement.selections[0]
        try:
            _send(operation, migration, chosen, placement)
        except exception.StaleWrite:
            unclaim(instance.uuid, chosen)
            raise
        self._compute.run_operation(ctxt, chosen.host, operation.id)


def _own_move(operation: Operation) -> Migration:
    """:raises StaleWrite: the move has ended, so the operation has, too."""
    migration = migrations.open_of(operation.instance_uuid)
    if migration is None or migration.operation_id != operation.id:
        raise exception.StaleWrite(what=f"The move of operation {operation.id}")
    return migration


@retry_on_deadlock
def _give_up_destination(operation: Operation, migration: Migration) -> None:
    with writer():
        operations.hold(operation.id, operation.attempt)
        moves.replan(migration)


@retry_on_deadlock
def _send(operation: Operation, migration: Migration, chosen: Selection, placement: Placement) -> None:
    """The destination is written down and has its turn, in one transaction."""
    side: dict[str, Any] = {
        **operation.args["new"],
        "host": chosen.host,
        "node": chosen.node,
        "availability_zone": chosen.availability_zone or operation.args["new"]["availability_zone"],
    }
    with writer():
        operations.hold(operation.id, operation.attempt, verdict=verdict_of(placement))
        address = compute_nodes.get(chosen.node_uuid).host_ip
        if not moves.plan(migration, chosen.host, chosen.node, dest_host=address):
            raise exception.StaleWrite(what=f"Migration {migration.uuid}")
        journal.hand_over(operation.id, operation.attempt, "prep", chosen.host, {}, {"new": side})


def _no_valid_host(operation: Operation, instance: Instance, placement: Placement) -> None:
    lacking = operation.args.get("lacking")
    reason = lacking or str(exception.NoValidHost(reason=placement.diagnosis.summary()))
    LOG.info("Server %s cannot move: %s", instance.uuid, reason)
    journal.fail(operation.id, operation.attempt, reason, "", 400, verdict_of(placement))


# -- without a host -------------------------------------------------------------------------------


def host_down(operation: Operation, instance: Instance) -> int | None:
    """The host whose turn it is died: another destination, or back to the source; what only the source can do waits.

    What came to a dead destination goes when it is back.
    """
    stage = operation.args.get("stage")
    if stage == "prep":
        ignored = sorted({*operation.args.get("ignore_hosts", ()), str(operation.host)})
        args = {**operation.args, "stage": "schedule", "ignore_hosts": ignored}
        return operation.id if operations.seize(operation, "conductor", args) else None
    if stage == "clear":
        return operation.id if operations.seize(operation, "conductor") else None
    if stage == "finish" and operation.host != operation.args["old"]["host"]:
        undo(operation, instance, f"Host {operation.host} went down while the server moved to it.")
    return None
