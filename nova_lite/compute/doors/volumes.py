"""Volumes of a server that is there already: attached, detached, swapped.

The volume service hears first: it reserves, or marks as being detached, and refuses what cannot be. Then the device and
the operation are written together. A server without a host (shelved and offloaded) has its volumes reserved only: that
is a conductor's work.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from nova_lite import exception
from nova_lite.compute import acceptance, actions, device_names
from nova_lite.compute.doors.door import Door, check_lock
from nova_lite.compute.vm_states import VmState
from nova_lite.context import RequestContext
from nova_lite.db.api import instances, operations, provisional_volumes
from nova_lite.db.api.provisional_volumes import Promise
from nova_lite.db.session import retry_on_deadlock, writer
from nova_lite.objects import BlockDevice, Instance
from nova_lite.volume.meta import Volume

LOG = logging.getLogger(__name__)

Devices = tuple[BlockDevice, ...]


class VolumesDoor(Door):
    """:raises InstanceIsLocked, InstanceInvalidState, InstanceNotLaunched, InstanceNotReady: refused.

    :raises VolumeNotFound: there is none that the caller may see. :raises Unavailable: the volume service is.
    """

    # -- attach -----------------------------------------------------------------------------------

    def attach(
        self,
        ctxt: RequestContext,
        instance: Instance,
        volume_id: str,
        *,
        device_name: str | None = None,
        tag: str | None = None,
        delete_on_termination: bool = False,
        multiattach: bool = True,
    ) -> BlockDevice:
        """Accept that the server gets the volume; the device that it will be.

        :param multiattach: the caller knows of volumes that several servers share.
        :raises InvalidVolume, InvalidInput: the volume cannot be had. :raises InvalidDevicePath, DevicePathInUse: the
            name is none, or another device's.
        """
        row = actions.ATTACH_VOLUME
        self._judge(ctxt, instance, row)
        volume = self._volume.get(ctxt, volume_id)
        if any(device.volume_id == volume.id for device in instance.block_devices):
            raise exception.InvalidVolume(reason=f"volume {volume.id} already attached")
        if volume.multiattach and not multiattach:
            raise exception.MultiattachTooEarly()
        if _is_offloaded(instance):
            _check_offloaded(volume, tag)
        device = BlockDevice(
            source_type="volume",
            destination_type="volume",
            uuid=volume.id,
            volume_id=volume.id,
            volume_size=volume.size,
            device_name=device_name,
            delete_on_termination=delete_on_termination,
            tag=tag,
            bdm_uuid=str(uuid.uuid4()),
            attachment_id=None,
            multiattach=volume.multiattach,
        )
        device_names.for_attach(instance, device_name)  # a bad name is refused before the volume is asked for
        with provisional_volumes.promised([instance.uuid], self.acceptance_s, volume.id) as promise:
            held = self._volume.attachment_create(ctxt, volume.id, instance.uuid)
            promise.undo(partial(self._volume.attachment_delete, ctxt, held))
            return self._accept_attach(ctxt, instance, row, device.replace(attachment_id=held), promise)

    def _accept_attach(
        self, ctxt: RequestContext, instance: Instance, row: actions.Action, device: BlockDevice, promise: Promise
    ) -> BlockDevice:
        added: list[BlockDevice] = []

        def add(server: Instance) -> Devices:
            promise.keep()
            if any(each.volume_id == device.volume_id for each in server.block_devices):
                raise exception.InvalidVolume(reason=f"volume {device.volume_id} already attached")
            added[:] = [device.replace(device_name=device_names.for_attach(server, device.device_name))]
            return (*server.block_devices, added[0])

        args = {"bdm_uuid": device.bdm_uuid, "attachment_id": device.attachment_id}
        self._accept(ctxt, instance, row, args, also=lambda _: _write(instance.uuid, add))
        return added[0]

    # -- detach -----------------------------------------------------------------------------------

    def detach(self, ctxt: RequestContext, instance: Instance, volume_id: str) -> None:
        """Accept that the server loses the volume.

        :raises VolumeNotAttached: it has not got it. :raises Invalid: it is the root disk, or on its way already.
        """
        row = actions.DETACH_VOLUME
        self._judge(ctxt, instance, row)
        volume = self._volume.get(ctxt, volume_id)
        device = find(instance, volume_id)
        if device is None:
            raise exception.VolumeNotAttached(instance_uuid=instance.uuid, volume_id=volume_id)
        if device.is_root:
            raise exception.Invalid("Cannot detach a root device volume")
        with provisional_volumes.promised([instance.uuid], self.acceptance_s, volume_id) as promise:
            self._begin_detaching(ctxt, instance, volume, device, promise)

            def also(operation_id: int) -> None:
                self._refuse_second_detach(instance, device, operation_id)
                promise.keep()

            self._accept(ctxt, instance, row, {"bdm_uuid": device.bdm_uuid}, also=also)

    def _begin_detaching(
        self, ctxt: RequestContext, instance: Instance, volume: Volume, device: BlockDevice, promise: Promise
    ) -> None:
        """Mark the volume, unless there is nothing to mark: it never got connected, or an older try marked it.

        :raises InvalidVolume: it is being detached, or busy.
        """
        if not device.connection:
            return
        if volume.status == "detaching" and not self._works_on(instance, device):
            return
        try:
            self._volume.begin_detaching(ctxt, volume.id)
        except exception.InvalidInput as error:
            raise exception.InvalidVolume(reason=error.message) from error

        def unmark() -> None:
            if not self._works_on(instance, device):  # else the mark is the other's, who was accepted
                self._volume.roll_detaching(ctxt, volume.id)

        promise.undo(unmark)

    def _refuse_second_detach(self, instance: Instance, device: BlockDevice, mine: int) -> None:
        """In the transaction of the acceptance, which looks at no task state: who came first may be done by now.

        A volume that never got connected may be asked back again and again.

        :raises VolumeNotAttached: it is; :raises InvalidVolume: it is about to be.
        """
        volume_id = str(device.volume_id)
        if not device.connection:
            return
        if find(instances.get(instance.uuid), volume_id) is None:
            raise exception.VolumeNotAttached(instance_uuid=instance.uuid, volume_id=volume_id)
        for operation in operations.open_for_instance(instance.uuid):
            same = (operation.action, operation.args.get("bdm_uuid")) == (actions.DETACH_VOLUME.name, device.bdm_uuid)
            if same and operation.id != mine:
                raise exception.InvalidVolume(reason=f"Volume {volume_id} is being detached already.")

    def _works_on(self, instance: Instance, device: BlockDevice) -> bool:
        """Whether an open operation is about the device: then a mark is its, else it is what a crash left."""
        return any(
            operation.args.get("bdm_uuid") == device.bdm_uuid
            for operation in operations.open_for_instance(instance.uuid)
        )

    # -- swap, change -----------------------------------------------------------------------------

    def swap(self, ctxt: RequestContext, instance: Instance, old_id: str, new_id: str) -> None:
        """Accept that the data go to another volume, which the server then has instead.

        :raises VolumeNotFound: the old one is not there. :raises VolumeDeviceNotFound: the server has not got it.
        :raises Invalid: the new one is not there, or does not fit.
        """
        row = actions.SWAP_VOLUME
        self._judge(ctxt, instance, row)
        old = self._volume.get(ctxt, old_id)
        try:
            new = self._volume.get(ctxt, new_id)
        except exception.VolumeNotFound as error:
            raise exception.Invalid(error.message) from error
        device = find(instance, old_id)
        if device is None:
            raise exception.VolumeDeviceNotFound(volume_id=old_id)
        _check_swap(instance, old, new)
        with provisional_volumes.promised([instance.uuid], self.acceptance_s, old_id, new.id) as promise:
            self._begin_detaching(ctxt, instance, old, device, promise)
            held = self._volume.attachment_create(ctxt, new.id, instance.uuid)
            promise.undo(partial(self._volume.attachment_delete, ctxt, held))
            args = {"bdm_uuid": device.bdm_uuid, "volume_id": new.id, "attachment_id": held, "volume_size": new.size}
            self.accept(ctxt, instance, row, args, also=lambda _: promise.keep())

    def update(self, instance: Instance, volume_id: str, changes: dict[str, Any], fixed: dict[str, Any]) -> None:
        """Change a device.

        :param fixed: what the caller says of the rest, which cannot change: it must be so already.
        :raises VolumeDeviceNotFound: the server has not got the volume. :raises Invalid: what is fixed is otherwise.
        """
        present = find(instance, volume_id)
        if present is None:
            raise exception.VolumeDeviceNotFound(volume_id=volume_id)
        facts = {
            "id": volume_id, "serverId": instance.uuid, "device": present.device_name, "tag": present.tag,
        }  # fmt: skip
        for name, value in fixed.items():
            if facts[name] != value:
                raise exception.Invalid(f"The {name} property is not mutable")

        def change(server: Instance) -> Devices:
            found = find(server, volume_id)
            if found is None:
                raise exception.VolumeDeviceNotFound(volume_id=volume_id)
            return replaced(server, found.replace(**changes))

        if changes:
            _write(instance.uuid, change)

    def _accept(
        self, ctxt: RequestContext, instance: Instance, row: actions.Action, args: Mapping[str, Any],
        also: Callable[[int], None] | None = None,
    ) -> None:  # fmt: skip
        """As accept, also for a server that is on no host: it was judged before."""
        if not _is_offloaded(instance):
            self.accept(ctxt, instance, row, args, also=also)
            return
        self.wake(ctxt, *acceptance.action(ctxt, instance, row, args, also=also))

    def _judge(self, ctxt: RequestContext, instance: Instance, row: actions.Action) -> None:
        if _is_offloaded(instance):
            check_lock(ctxt, instance, row)
            acceptance.check(row, instance)
        else:
            self.check(ctxt, instance, row)


# -- the devices of a server ----------------------------------------------------------------------


def find(instance: Instance, volume_id: str) -> BlockDevice | None:
    return next((device for device in instance.block_devices if device.volume_id == volume_id), None)


def replaced(instance: Instance, changed: BlockDevice) -> Devices:
    """The devices with one as it is now; nothing where it is gone."""
    return tuple(changed if device.bdm_uuid == changed.bdm_uuid else device for device in instance.block_devices)


@retry_on_deadlock
def _write(uuid: str, change: Callable[[Instance], Devices]) -> None:
    """Change the devices as they are now; nobody else's change comes between."""
    with writer():
        instances.update_if(uuid, {"block_devices": change(instances.locked(uuid))})


def _is_offloaded(instance: Instance) -> bool:
    return instance.vm_state == VmState.SHELVED_OFFLOADED


def _check_offloaded(volume: Volume, tag: str | None) -> None:
    if tag is not None:
        raise exception.Invalid("Tagged volume attachment is not supported for shelved-offloaded instances.")
    if volume.multiattach:
        raise exception.Invalid("Attaching multiattach volumes is not supported for shelved-offloaded instances.")


def _check_swap(instance: Instance, old: Volume, new: Volume) -> None:
    if instance.uuid not in old.attachments:
        raise exception.InvalidVolume(reason="Old volume is attached to a different instance.")
    if new.attachments:
        raise exception.InvalidVolume(reason="New volume must be detached in order to swap.")
    if new.size < old.size:
        raise exception.InvalidVolume(reason="New volume must be the same size or larger.")
    if old.multiattach and len(old.attachments) > 1:
        raise exception.Invalid(
            "Swapping multi-attach volumes with more than one read/write attachment is not supported."
        )
