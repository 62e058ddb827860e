"""Volumes and interfaces that were to come or go when their server lost its host: it was shelved meanwhile.

What no guest has to be told is done here, as the API does it for a server that was on no host from the beginning; what
only a guest can do is undone. A server that has a host again has it do the work.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from nova_lite import exception
from nova_lite.compute import actions
from nova_lite.compute.rpcapi import ComputeRpcAPI
from nova_lite.conductor import journal
from nova_lite.conductor.tasks.undo_attach import LEFT, UndoAttachTask
from nova_lite.context import RequestContext
from nova_lite.db.api import instances, operations
from nova_lite.network.api import API as NetworkAPI
from nova_lite.objects import BlockDevice, Instance, Operation
from nova_lite.volume.api import API as VolumeAPI

LOG = logging.getLogger(__name__)

# The step that says that the volumes of a build that was given up are on no host any more.
RESERVED = "reserved"
Turn = Callable[[RequestContext, Operation, Instance], None]


class HomelessTask:
    """Runs what runs beside when its turn is the conductor's."""

    def __init__(self, compute: ComputeRpcAPI, network: NetworkAPI, volume: VolumeAPI) -> None:
        self._compute = compute
        self._network = network
        self._volume = volume
        self._undo_attach = UndoAttachTask(network)
        self._turns: dict[str, Turn] = {
            actions.ATTACH_VOLUME.name: self._attach_volume,
            actions.DETACH_VOLUME.name: self._detach_volume,
            actions.SWAP_VOLUME.name: self._swap_volume,
            actions.DETACH_INTERFACE.name: self._detach_interface,
            actions.SETTLE.name: self._settle,
        }

    def execute(self, ctxt: RequestContext, operation: Operation) -> None:
        """Do the turn, or let it rest until a neighbour answers. :raises StaleWrite: somebody overtook this worker."""
        try:
            instance = instances.get(operation.instance_uuid)
        except exception.InstanceNotFound:
            operations.give_up(operation, "The server is gone.")
            return
        ports_only = operation.action == actions.ATTACH_INTERFACE.name and operation.args.get("stage") == "undo"
        if instance.host is not None and not ports_only:
            operations.hand_over(operation.id, operation.attempt, "compute", instance.host, operation.args)
            self._compute.run_operation(ctxt, instance.host, operation.id)
            return
        if operation.action == actions.ATTACH_INTERFACE.name:
            self._undo_attach.execute(ctxt, operation)
            return
        try:
            self._turns[operation.action](ctxt, operation, instance)
        except exception.StaleWrite:
            raise
        except exception.NovaLiteError as error:
            LOG.warning("%s of %s waits: %s", operation.action, instance.uuid, error)
            journal.rest(operation, f"A neighbour refuses: {type(error).__name__}; it is tried again.")

    def _attach_volume(self, ctxt: RequestContext, operation: Operation, instance: Instance) -> None:
        """The server has it, reserved and shown in use, and gets it with its next host."""
        device = _device(operation, instance)
        if device is None:
            journal.fail(operation.id, operation.attempt, LEFT, "", 409)
            return
        if operation.args.get("stage") == "undo":
            self._volume.attachment_delete(ctxt, str(device.attachment_id))
            journal.progress(operation.id, operation.attempt, actions.UNDONE_STEP, {})
            journal.fail(operation.id, operation.attempt, operation.args["failure"], "", 500)
            return
        try:
            self._volume.attachment_complete(ctxt, str(device.attachment_id))
        except exception.NotFound as error:
            # Whoever asked was told that it failed, and what was reserved was given back, after it had been accepted.
            journal.progress(operation.id, operation.attempt, actions.UNDONE_STEP, {})
            journal.fail(operation.id, operation.attempt, str(error), "", error.status)
            return
        journal.finish(operation.id, operation.attempt, instance.power_state, {"block_devices": (device,)})

    def _detach_volume(self, ctxt: RequestContext, operation: Operation, instance: Instance) -> None:
        device = _device(operation, instance)
        if device is not None and device.attachment_id is not None:
            self._volume.attachment_delete(ctxt, device.attachment_id)
        journal.finish(operation.id, operation.attempt, instance.power_state, {})

    def _swap_volume(self, ctxt: RequestContext, operation: Operation, instance: Instance) -> None:
        """No guest copies anything: the server keeps the old volume, unless its guest had the new one already."""
        former = operation.noted(actions.SWAPPED_STEP)
        if former is not None:
            self._volume.attachment_delete(ctxt, former)
            journal.finish(operation.id, operation.attempt, instance.power_state, {"block_devices": ()})
            return
        self._volume.attachment_delete(ctxt, str(operation.args["attachment_id"]))
        device = _device(operation, instance)
        if device is not None:
            try:
                self._volume.roll_detaching(ctxt, str(device.volume_id))
            except (exception.VolumeNotFound, exception.InvalidInput):
                LOG.info("Volume %s is not on its way out", device.volume_id)
        journal.fail(operation.id, operation.attempt, operation.args.get("failure", LEFT), "", 409)

    def _detach_interface(self, ctxt: RequestContext, operation: Operation, instance: Instance) -> None:
        self._network.detach(ctxt, instance, operation.args["port_id"])
        journal.finish(operation.id, operation.attempt, instance.power_state, {})

    def _settle(self, ctxt: RequestContext, operation: Operation, instance: Instance) -> None:
        """Who took it off its host has seen to what was bound there, but for what a reset gave up."""
        if operation.args.get("unbuilt"):
            self._network.deallocate(ctxt, instance)
            self._reserve(operation, instance)
        elif "left" in operation.args:
            self._network.unbind(ctxt, instance, operation.args["left"])
            self._reserve(operation, instance)
        journal.finish(operation.id, operation.attempt, instance.power_state, {"network_info": ()})

    def _reserve(self, operation: Operation, instance: Instance) -> None:
        """Volumes stay the server's, and on no host; what hosts had of them goes, also what a former try made."""
        if not any(device.is_volume for device in instance.block_devices):
            return
        devices = tuple(self._reserved(device, instance) for device in instance.block_devices)
        journal.progress(operation.id, operation.attempt, RESERVED, {"block_devices": devices})
        kept = {device.attachment_id for device in devices}
        for attachment in self._volume.attachments_of(None, instance.uuid):
            if attachment.id not in kept:
                self._volume.attachment_delete(None, attachment.id)

    def _reserved(self, device: BlockDevice, instance: Instance) -> BlockDevice:
        if not device.is_volume or device.volume_id is None:
            return device
        try:
            made = self._volume.attachment_create(None, device.volume_id, instance.uuid)
        except exception.VolumeNotFound:
            return device  # it went meanwhile
        return device.replace(attachment_id=made, host=None, connection={})


def _device(operation: Operation, instance: Instance) -> BlockDevice | None:
    wanted = operation.args["bdm_uuid"]
    return next((device for device in instance.block_devices if device.bdm_uuid == wanted), None)
