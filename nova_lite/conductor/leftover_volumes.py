"""Takes back what requests asked of the volume service that were never accepted: their API died, or gave up."""

from __future__ import annotations

import logging

from nova_lite import exception
from nova_lite.compute import actions
from nova_lite.db.api import instances, operations, provisional_volumes
from nova_lite.db.api.provisional_volumes import ProvisionalVolume
from nova_lite.objects import Instance
from nova_lite.volume import marks
from nova_lite.volume.api import API, PASSING

LOG = logging.getLogger(__name__)


def take_back(volumes: API) -> None:
    """One round. While the volume service is away everything waits; several conductors may do it at once."""
    for row in provisional_volumes.due():
        if not provisional_volumes.doom(row.id):
            continue
        try:
            _one(volumes, row)
        except exception.Unavailable as error:
            LOG.warning("What was asked for server %s has to wait: %s", row.instance_uuid, error.message)
            continue
        except exception.NovaLiteError as error:
            LOG.error("What was asked for server %s stays: %s", row.instance_uuid, error.message)
        provisional_volumes.forget(row.id)


def _one(volumes: API, row: ProvisionalVolume) -> None:
    try:
        server = instances.get(row.instance_uuid, include_deleted=True)
    except exception.InstanceNotFound:
        server = None
    if row.volume_id is not None:
        _volume(volumes, row.instance_uuid, row.volume_id, server)
    elif server is None:
        _everything(volumes, row.instance_uuid)


def _everything(volumes: API, instance_uuid: str) -> None:
    """The server was never accepted: no volume is its own. :raises Unavailable: one is still being made."""
    for attachment in volumes.attachments_of(None, instance_uuid):
        _give_back(volumes, attachment.id, attachment.volume_id, instance_uuid)
    for volume in volumes.made_for(None, instance_uuid):
        if volume.status in PASSING:
            raise exception.Unavailable(f"Volume {volume.id} is still {volume.status}.")
        LOG.warning("Volume %s was made for server %s, which was never accepted: removing it", volume.id, instance_uuid)
        volumes.delete(None, volume.id)


def _volume(volumes: API, instance_uuid: str, volume_id: str, server: Instance | None) -> None:
    """Nobody accepted that the server gets this volume, or that it loses it."""
    open_now = [] if server is None else operations.open_for_instance(instance_uuid)
    devices = [] if server is None else [each for each in server.block_devices if each.volume_id == volume_id]
    works = {str(operation.args.get("bdm_uuid")) for operation in open_now}
    comes = {str(operation.args.get("volume_id")) for operation in open_now if operation.action in actions.BESIDE}
    if devices:
        if not any(device.bdm_uuid in works for device in devices):
            marks.take_off(volumes, volume_id)
    elif volume_id not in comes:
        for attachment in volumes.attachments_of(None, instance_uuid):
            if attachment.volume_id == volume_id:
                _give_back(volumes, attachment.id, volume_id, instance_uuid)


def _give_back(volumes: API, attachment_id: str, volume_id: str, instance_uuid: str) -> None:
    LOG.warning("Volume %s is held for server %s, which never asked for it: giving it back", volume_id, instance_uuid)
    volumes.attachment_delete(None, attachment_id)
