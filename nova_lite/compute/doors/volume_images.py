"""Images of servers whose root disk is a volume: they have no data, but name a snapshot of each volume."""

from __future__ import annotations

import io
import json
import logging
import uuid
from collections.abc import Mapping
from typing import Any

from nova_lite import concurrency, exception
from nova_lite.compute import acceptance, actions
from nova_lite.compute.doors.door import Door
from nova_lite.context import RequestContext
from nova_lite.db.api import provisional_images
from nova_lite.db.session import retry_on_deadlock, writer
from nova_lite.objects import BlockDevice, Instance

LOG = logging.getLogger(__name__)


class VolumeImageDoor(Door):
    """The API does it at once, with the user's own token: snapshots and image are the user's."""

    def create(self, ctxt: RequestContext, instance: Instance, name: str, properties: Mapping[str, str]) -> str:
        """The image's id; what was begun leaves nothing when it failed, or this process died.

        :raises InstanceIsLocked, InstanceInvalidState, InstanceNotLaunched, InstanceNotReady: refused.
        :raises Forbidden, Invalid, Unavailable: the image or the volume service does not want it.
        """
        row = actions.CREATE_IMAGE
        self.check(ctxt, instance, row)
        snapshots: list[str] = []
        image_id = str(uuid.uuid4())
        provisional_images.promise(image_id, instance.uuid, self.acceptance_s)
        try:
            mapping = [self._row(ctxt, device, name, image_id, snapshots) for device in instance.block_devices]
            own = {
                "block_device_mapping": json.dumps(mapping),
                "bdm_v2": "True",
                "root_device_name": instance.root_device_name or "/dev/vda",
            }
            min_ram = instance.image.min_ram if instance.image is not None else 0
            self._image.create(ctxt, image_id, name, {**properties, **own}, min_disk=0, min_ram=min_ram)
            self._image.upload(ctxt, image_id, io.BytesIO(b""), "raw")
            _accept(ctxt, instance, row, image_id)
        except BaseException:
            if provisional_images.refused(image_id, instance.uuid):
                self._give_back(ctxt, image_id, snapshots)
            raise
        return image_id

    def _row(
        self, ctxt: RequestContext, device: BlockDevice, name: str, image_id: str, snapshots: list[str]
    ) -> dict[str, Any]:
        """What the image says of a device: how the same one is made for another server."""
        row: dict[str, Any] = {
            "boot_index": device.boot_index,
            "source_type": device.source_type,
            "destination_type": device.destination_type,
            "device_name": device.device_name,
            "device_type": device.device_type,
            "disk_bus": device.disk_bus,
            "guest_format": device.guest_format,
            "delete_on_termination": device.delete_on_termination,
            "volume_size": device.volume_size,
            "volume_type": device.volume_type,
            "tag": device.tag,
            "image_id": None,
            "volume_id": None,
            "snapshot_id": None,
            "no_device": None,
        }
        if device.is_volume:
            title = f"snapshot for {name}"[:255]
            snapshots.append(self._volume.create_snapshot(ctxt, str(device.volume_id), title, image_id).id)
            row |= {"source_type": "snapshot", "snapshot_id": snapshots[-1]}
        return row

    def _give_back(self, ctxt: RequestContext, image_id: str, snapshots: list[str]) -> None:
        """Snapshots apart, as one in the making cannot be deleted."""
        try:
            self._image.delete(ctxt, image_id)
        except exception.NovaLiteError as error:
            LOG.error("Image %s could not be removed: %s", image_id, error)
        if snapshots:
            concurrency.spawn(self._delete, ctxt, snapshots)

    def _delete(self, ctxt: RequestContext, snapshots: list[str]) -> None:
        for snapshot in snapshots:
            try:
                self._volume.wait_snapshot(ctxt, snapshot)
                self._volume.delete_snapshot(ctxt, snapshot)
            except exception.NovaLiteError as error:
                LOG.error("Snapshot %s could not be removed: %s", snapshot, error)


@retry_on_deadlock
def _accept(ctxt: RequestContext, instance: Instance, row: actions.Action, image_id: str) -> None:
    """From now on the image stays.

    :raises Unavailable: its making outlasted the promise; a chore may be removing it.
    """
    with writer():
        acceptance.at_once(ctxt, instance, row, {}, {"image_id": image_id})
        provisional_images.stays(image_id)
