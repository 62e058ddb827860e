"""What a server's row remembers of its volumes, kept in step with what the volume service says happened."""

from __future__ import annotations

from nova_lite import exception
from nova_lite.db.api import instances
from nova_lite.db.session import retry_on_deadlock, writer
from nova_lite.objects import Instance
from nova_lite.volume.api import API as VolumeAPI


def extended(volume: VolumeAPI, instance: Instance, volume_id: str) -> Instance | None:
    """``volume-extended``: the server with the volume's new size; None when it has not got that volume any more.

    :raises VolumeNotFound, Unavailable: the volume service knows no such volume, or does not answer.
    """
    return _resize(instance.uuid, volume_id, volume.get(None, volume_id).size)


@retry_on_deadlock
def _resize(uuid: str, volume_id: str, size_gb: int) -> Instance | None:
    with writer():
        try:
            server = instances.locked(uuid)
        except exception.InstanceNotFound:
            return None
        if not any(device.volume_id == volume_id for device in server.block_devices):
            return None
        # Volumes only grow: who asked before another may write after him.
        devices = tuple(
            each.replace(volume_size=max(size_gb, each.volume_size or 0)) if each.volume_id == volume_id else each
            for each in server.block_devices
        )
        instances.update_if(uuid, {"block_devices": devices})
        return server.replace(block_devices=devices)
