"""An unshelving in a conductor: to the host that still has the server, or to one that the scheduler finds."""

from __future__ import annotations

import logging
from typing import Any

from nova_lite import exception
from nova_lite.compute import actions
from nova_lite.compute.rpcapi import ComputeRpcAPI
from nova_lite.compute.task_states import TaskState
from nova_lite.compute.vm_states import VmState
from nova_lite.conductor import journal, resets
from nova_lite.conductor.endings import shelves
from nova_lite.conductor.tasks.placement import ask, request_spec, verdict_of
from nova_lite.context import RequestContext
from nova_lite.db.api import allocations, instances, operations
from nova_lite.db.session import retry_on_deadlock, writer
from nova_lite.objects import Instance, Operation, OperationState, Placement, Selection
from nova_lite.scheduler.api import API as SchedulerAPI

LOG = logging.getLogger(__name__)


class UnshelveTask:
    """Runs operations of the action ``unshelve`` whose turn is the conductor's."""

    def __init__(self, scheduler: SchedulerAPI, compute: ComputeRpcAPI) -> None:
        self._scheduler = scheduler
        self._compute = compute

    def execute(self, ctxt: RequestContext, operation: Operation) -> None:
        """Send the server to a host. :raises StaleWrite: somebody overtook this worker; nothing is left behind."""
        try:
            instance = instances.get(operation.instance_uuid)
        except exception.InstanceNotFound:
            operations.finish(operation.id, operation.attempt, OperationState.FAILED, "The server is gone.")
            return
        if instance.vm_state == VmState.SHELVED and instance.host is not None:
            journal.hand_over(operation.id, operation.attempt, "start", instance.host, {}, {})
            self._compute.run_operation(ctxt, instance.host, operation.id)
            return
        if _changes_on_the_shelf(instance):
            journal.rest(operation, "What the server has of volumes and interfaces is being changed.")
            return
        chosen = self._choose(ctxt, operation, instance)
        if chosen is not None:
            self._compute.run_operation(ctxt, chosen, operation.id)

    def _choose(self, ctxt: RequestContext, operation: Operation, instance: Instance) -> str | None:
        """The host whose turn it is now; None when there is none, and it waits or has ended."""
        placement = ask(self._scheduler, ctxt, operation, request_spec(operation, instance))
        if placement is None:
            return None
        if not placement.selections:
            _no_valid_host(operation, instance, placement)
            return None
        chosen = placement.selections[0]
        try:
            _assign(operation, instance, chosen, placement)
        except exception.StaleWrite:
            release_if_homeless(instance.uuid)
            raise
        return chosen.host


def _changes_on_the_shelf(instance: Instance) -> bool:
    """Whether a conductor is at the server's volumes or interfaces: it would not know what a host makes of them.

    None begins while the server is being unshelved. What a live migration left waits for that, and touches nothing.
    """
    beside = [each for each in operations.open_for_instance(instance.uuid) if each.action in actions.BESIDE]
    return any(each.topic == "conductor" and not each.args.get("unsent") for each in beside)


@retry_on_deadlock
def _assign(operation: Operation, instance: Instance, chosen: Selection, placement: Placement) -> None:
    """The host is written down and the turn passes to it, in one transaction; who came first refuses it."""
    with writer():
        operations.hold(operation.id, operation.attempt, verdict=verdict_of(placement))
        values = {
            "host": chosen.host,
            "node": chosen.node,
            "availability_zone": chosen.availability_zone or instance.availability_zone,
            "generation": instance.generation + 1,
        }
        expected: dict[str, Any] = {"task_state": TaskState.UNSHELVING, "generation": instance.generation}
        if not instances.update_if(instance.uuid, values, **expected):
            raise exception.StaleWrite(what=f"Instance {instance.uuid}")
        args = {**operation.args, "stage": "spawn"}
        operations.hand_over(operation.id, operation.attempt, "compute", chosen.host, args)


def _no_valid_host(operation: Operation, instance: Instance, placement: Placement) -> None:
    reason = str(exception.NoValidHost(reason=placement.diagnosis.summary()))
    LOG.info("Server %s stays on the shelf: %s", instance.uuid, reason)
    journal.fail(operation.id, operation.attempt, reason, "", 500, verdict_of(placement))


@retry_on_deadlock
def release_if_homeless(instance_uuid: str) -> None:
    """A claim made for a server that somebody else took meanwhile, and that got no host, holds nothing any more."""
    with writer():
        try:
            instance = instances.get(instance_uuid)
        except exception.InstanceNotFound:
            instance = None
        if instance is None or instance.host is None:
            allocations.release(instance_uuid)


def leave_dead_host(operation: Operation, instance: Instance) -> int | None:
    """The host went down while it built the guest: another one's turn. What has its host still waits for it.

    Call it in a transaction.
    """
    if instance.vm_state != VmState.SHELVED_OFFLOADED:
        return None
    args = {name: value for name, value in operation.args.items() if name != "stage"}
    args["ignore_hosts"] = sorted({*args.get("ignore_hosts", []), str(operation.host)})
    if not operations.seize(operation, "conductor", args):
        return None
    values = shelves.homeless(instance)
    instances.update_if(instance.uuid, {"task_state": TaskState.UNSHELVING, **values})
    if values:
        resets.leave(instance.replace(**values), str(operation.host))
    return operation.id
