"""A build's way through a conductor: ask the scheduler, write down the host, wake it; or say why there is none."""

from __future__ import annotations

import logging

from nova_lite import exception
from nova_lite.compute.rpcapi import ComputeRpcAPI
from nova_lite.compute.task_states import TaskState
from nova_lite.conductor import failures, journal
from nova_lite.conductor.tasks.placement import ask, request_spec, verdict_of
from nova_lite.context import RequestContext
from nova_lite.db.api import allocations, instances, operations
from nova_lite.db.session import retry_on_deadlock, writer
from nova_lite.network.api import API as NetworkAPI
from nova_lite.objects import Instance, Operation, OperationState, Placement, Selection
from nova_lite.scheduler.api import API as SchedulerAPI
from nova_lite.volume.api import API as VolumeAPI

LOG = logging.getLogger(__name__)


class BuildTask:
    """Runs operations of the action ``create`` whose turn is the conductor's."""

    def __init__(
        self, scheduler: SchedulerAPI, compute: ComputeRpcAPI, network: NetworkAPI, volume: VolumeAPI
    ) -> None:  # fmt: skip
        self._scheduler = scheduler
        self._compute = compute
        self._network = network
        self._volume = volume

    def execute(self, ctxt: RequestContext, operation: Operation) -> None:
        """Send the server to a host. :raises StaleWrite: somebody overtook this worker; nothing is left behind."""
        try:
            instance = instances.get(operation.instance_uuid)
        except exception.InstanceNotFound:
            operations.finish(operation.id, operation.attempt, OperationState.FAILED, "The server is gone.")
            return
        if operation.args.get("stage") == "undo":
            if self._gives_back(ctxt, operation, instance):
                _end_undone(operation, instance)
            return
        placement = ask(self._scheduler, ctxt, operation, request_spec(operation, instance))
        if placement is None:
            return
        if not placement.selections:
            # What a host that died over the build made at other services goes first.
            if not operation.args.get("builds") or self._gives_back(ctxt, operation, instance):
                _no_valid_host(operation, instance, placement)
            return
        chosen = placement.selections[0]
        try:
            _assign(operation, instance, chosen, placement)
        except exception.StaleWrite:
            _release_if_gone(instance.uuid)
            raise
        self._compute.run_operation(ctxt, chosen.host, operation.id)

    def _gives_back(self, ctxt: RequestContext, operation: Operation, instance: Instance) -> bool:
        """Whether no host's ports and attachments of the server are left; if not, it is tried again."""
        try:
            self._network.deallocate(ctxt, instance)
            if any(device.is_volume for device in instance.block_devices):
                for attachment in self._volume.attachments_of(None, instance.uuid):
                    self._volume.attachment_delete(None, attachment.id)
        except exception.NovaLiteError as error:
            LOG.warning("The failed build of %s waits: a neighbour keeps what it made (%s)", instance.uuid, error)
            journal.rest(operation, f"A neighbour keeps what the build made: {type(error).__name__}.")
            return False
        return True


@retry_on_deadlock
def _assign(operation: Operation, instance: Instance, chosen: Selection, placement: Placement) -> None:
    """The host is written down and the turn passes to it, in one transaction; a delete that came first refuses it."""
    with writer():
        operations.hold(operation.id, operation.attempt, verdict=verdict_of(placement))
        assigned = instances.update_if(
            instance.uuid,
            {
                "host": chosen.host,
                "node": chosen.node,
                "availability_zone": chosen.availability_zone or instance.availability_zone,
                "generation": instance.generation + 1,
                "task_state": None,
            },
            task_state=TaskState.SCHEDULING,
            generation=instance.generation,
        )
        if not assigned:
            raise exception.StaleWrite(what=f"Instance {instance.uuid}")
        operations.hand_over(operation.id, operation.attempt, "compute", chosen.host, operation.args)


@retry_on_deadlock
def _no_valid_host(operation: Operation, instance: Instance, placement: Placement) -> None:
    summary = placement.diagnosis.summary()
    builds = operation.args.get("builds", 0)
    why = f"Exhausted all hosts after {builds} failed build(s). {summary}" if builds else summary
    reason = str(exception.NoValidHost(reason=why))
    LOG.info("Server %s: %s", instance.uuid, reason)
    with writer():
        operations.hold(operation.id, operation.attempt)
        failures.end_failed(operation, instance, reason, "", 500, verdict=verdict_of(placement))


@retry_on_deadlock
def _end_undone(operation: Operation, instance: Instance) -> None:
    with writer():
        operations.hold(operation.id, operation.attempt)
        instances.update_if(instance.uuid, {"network_info": ()})
        failures.end_failed(operation, instance, str(operation.args["failure"]), "", 500)


def _release_if_gone(instance_uuid: str) -> None:
    """A claim made for a server that a delete took meanwhile holds nothing any more."""
    try:
        instances.get(instance_uuid)
    except exception.InstanceNotFound:
        allocations.release(instance_uuid)
