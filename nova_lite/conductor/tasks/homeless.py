"""Volumes and interfaces that were to come or go when their server lost its host: it was shelved meanwhile.

What no guest has to be told is done here, as the API does it for a server that was on no host from the beginning; what
only a guest can do is undone. A server that has a host again has it do the work.
"""

from __future__ import annotations

import functools
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
from nova_lite.volume import reserving
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
        if instance.host is not None and not ports_only and not operation.args.get("unsent"):
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
        if device is not None:
            # There may be two: a settling that makes one for the server's row does not wait for this.
            found = self._volume.attachments_of(ctxt, instance.uuid)
            journal.prove(operation.id, operation.attempt)  # of later ones another worker may know
            for attachment in found:
                if attachment.volume_id == device.volume_id:
                    self._volume.attachment_delete(ctxt, attachment.id)
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
        """Who took it off its host has seen to what was bound there, but for what a reset gave up.

        Of a server that has a host only that says what its guest does.
        """
        if operation.args.get("unsent"):
            self._give_back(ctxt, operation, instance)
        elif operation.args.get("unbuilt"):
            self._network.deallocate(ctxt, instance)
            self._reserve(operation, instance)
        elif "left" in operation.args:
            self._network.unbind(ctxt, instance, operation.args["left"])
            self._reserve(operation, instance)
        state = instance.power_state if instance.host is None else None
        journal.finish(operation.id, operation.attempt, state, {"network_info": ()})

    def _give_back(self, ctxt: RequestContext, operation: Operation, instance: Instance) -> None:
        """A live migration was given up before its guest was sent: what its destination had of the volumes goes.

        Of the server's volumes that is what its row does not name: what a swap brings is of another. Who works on the
        server may be making what its row will name. :raises ServerBusy: somebody does; it is tried again.
        """
        found = self._volume.attachments_of(None, instance.uuid)  # before the row: what is made later is nobody's yet
        journal.prove(operation.id, operation.attempt)
        binds = any(each.args.get("back") for each in operations.open_for_instance(instance.uuid))
        now = instances.get(instance.uuid)  # what was at work a moment ago has named by now what it made
        if binds or now.task_state is not None:
            raise exception.ServerBusy(instance_uuid=instance.uuid)
        if now.generation == operation.args["generation"]:
            named = {each.attachment_id for each in now.block_devices}
            own = {each.volume_id for each in now.block_devices}
            for attachment in found:
                if attachment.volume_id in own and attachment.id not in named:
                    self._volume.attachment_delete(None, attachment.id)
        for side in operation.args["sides"]:
            if side != now.host:
                self._compute.look_around(ctxt, side)

    def _reserve(self, operation: Operation, instance: Instance) -> None:
        """Volumes stay the server's, and on no host; what hosts had of them goes, also what a former try made."""
        if not any(device.is_volume for device in instance.block_devices):
            return
        devices = tuple(self._reserved(operation, device, instance) for device in instance.block_devices)
        journal.progress(operation.id, operation.attempt, RESERVED, {"block_devices": devices})
        # Before the row, and proved: what is made later is another's. What a user has taken out meanwhile is not kept.
        found = self._volume.attachments_of(None, instance.uuid)
        journal.prove(operation.id, operation.attempt)
        kept = {device.attachment_id for device in instances.get(instance.uuid).block_devices}
        for attachment in found:
            if attachment.id not in kept:
                self._volume.attachment_delete(None, attachment.id)

    def _reserved(self, operation: Operation, device: BlockDevice, instance: Instance) -> BlockDevice:
        if not device.is_volume or device.volume_id is None:
            return device
        try:
            prove = functools.partial(journal.prove, operation.id, operation.attempt)
            made = reserving.anew(self._volume, None, device.volume_id, instance.uuid, prove)
        except exception.VolumeNotFound:
            return device  # it went meanwhile
        return device.replace(attachment_id=made, host=None, connection={})


def _device(operation: Operation, instance: Instance) -> BlockDevice | None:
    wanted = operation.args["bdm_uuid"]
    return next((device for device in instance.block_devices if device.bdm_uuid == wanted), None)
