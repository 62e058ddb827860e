"""An evacuation where a conductor has the turn: choosing who builds the server again, and another one if that dies."""

from __future__ import annotations

import logging
from typing import Any

from nova_lite import exception
from nova_lite.compute.rpcapi import ComputeRpcAPI
from nova_lite.compute.task_states import TaskState
from nova_lite.compute.vm_states import VmState
from nova_lite.conductor import evacuations, journal, moves
from nova_lite.conductor.tasks.destination import Destination, give_up, host_ip_of, unclaim, zone_of
from nova_lite.context import RequestContext
from nova_lite.db.api import instances, migrations, operations
from nova_lite.db.session import retry_on_deadlock, writer
from nova_lite.objects import Instance, Migration, Operation, OperationState, Selection
from nova_lite.volume.api import API as VolumeAPI

LOG = logging.getLogger(__name__)

_KEPT = "Host %s may have the only whole copy of the server's disks."


class EvacuateTask:
    """Runs operations of ``evacuate`` whose turn is the conductor's."""

    def __init__(self, destination: Destination, compute: ComputeRpcAPI, volume: VolumeAPI) -> None:
        self._destination = destination
        self._compute = compute
        self._volume = volume

    def execute(self, ctxt: RequestContext, operation: Operation) -> None:
        """Choose the new host and pass the turn to it. :raises StaleWrite: overtaken; no claim is left behind."""
        try:
            instance = instances.get(operation.instance_uuid)
        except exception.InstanceNotFound:
            operations.finish(operation.id, operation.attempt, OperationState.FAILED, "The server is gone.")
            return
        migration = migrations.of_operation(operation.id)
        if migration is None or not migration.is_open:
            raise exception.StaleWrite(what=f"The move of operation {operation.id}")
        evacuations.unmark(self._volume, instance)
        chosen = self._choose(ctxt, operation, instance)
        if chosen is None:
            return
        try:
            _send(operation, instance, migration, chosen)
        except exception.StaleWrite:
            unclaim(instance.uuid, chosen)
            raise
        self._compute.run_operation(ctxt, chosen.host, operation.id)

    def _choose(self, ctxt: RequestContext, operation: Operation, instance: Instance) -> Selection | None:
        """As the destination's; nothing is built where the server's only whole copy may be."""
        keeper = evacuations.keeper_of(instance)
        if keeper is not None and operation.args.get("to") == keeper:
            give_up(operation, instance, _KEPT % keeper)
            return None
        ignored = {*operation.args.get("ignore_hosts", ()), keeper} - {None}
        args = {**operation.args, "ignore_hosts": sorted(ignored)}
        return self._destination.choose(ctxt, operation.replace(args=args), instance)


@retry_on_deadlock
def _send(operation: Operation, instance: Instance, migration: Migration, chosen: Selection) -> None:
    more: dict[str, Any] = {
        "dest": chosen.host,
        "dest_node": chosen.node,
        "zone": zone_of(chosen, instance),
        "generation": evacuations.next_generation(instance),
        "stopped": operation.args["stopped"] or migration.old_vm_state == VmState.STOPPED,
    }
    with writer():
        operations.hold(operation.id, operation.attempt)
        if not moves.plan(migration, chosen.host, chosen.node, dest_host=host_ip_of(chosen)):
            raise exception.StaleWrite(what=f"Migration {migration.uuid}")
        journal.hand_over(operation.id, operation.attempt, "rebuild", chosen.host, {}, more)


def without_host(operation: Operation, instance: Instance) -> int | None:
    """The new host went down, too: another one's turn. In the caller's transaction."""
    args = {name: value for name, value in operation.args.items() if name != "stage"}
    args["ignore_hosts"] = sorted({*args.get("ignore_hosts", []), str(operation.host)})
    args["died"] = True
    if not operations.seize(operation, "conductor", args):
        return None
    LOG.warning("Evacuation of %s: host %s is down; trying another", instance.uuid, operation.host)
    migration = migrations.of_operation(operation.id)
    if migration is not None:
        moves.replan(migration)
    instances.update_if(instance.uuid, {"task_state": TaskState.REBUILDING})
    return operation.id
