"""Giving back everything that the volume service keeps for a server, when the server is deleted."""

from __future__ import annotations

import logging

from nova_lite import exception
from nova_lite.context import RequestContext
from nova_lite.objects import Instance
from nova_lite.volume.api import API, PASSING

LOG = logging.getLogger(__name__)


def release(volumes: API, ctxt: RequestContext, instance: Instance) -> None:
    """Delete its attachments, also those that only the volume service remembers, and the volumes that end with it.

    Called again it does what is left. A volume that cannot be deleted (it has snapshots, or another server uses it)
    stays the user's.

    :raises Unavailable: the volume service does not answer, or still makes a volume; to be tried again.
    """
    devices = [device for device in instance.block_devices if device.is_volume]
    if not devices:
        return
    known = {attachment.id for attachment in volumes.attachments_of(ctxt, instance.uuid)}
    for attachment_id in known | {device.attachment_id for device in devices if device.attachment_id}:
        volumes.attachment_delete(ctxt, attachment_id)
    for device in devices:
        if device.delete_on_termination and device.volume_id is not None:
            try:
                _delete(volumes, ctxt, device.volume_id)
            except (exception.InvalidInput, exception.Forbidden) as error:
                LOG.warning("Volume %s of server %s is not deleted: %s", device.volume_id, instance.uuid, error)


def _delete(volumes: API, ctxt: RequestContext, volume_id: str) -> None:
    try:
        volume = volumes.get(ctxt, volume_id)
    except exception.VolumeNotFound:
        return
    if volume.status in PASSING:
        raise exception.Unavailable(f"Volume {volume_id} is still {volume.status}.")
    volumes.delete(ctxt, volume_id)
