"""What a new server needs of the volume service before it is accepted: its volumes reserved, or made.

It is done here, with the user's own token: no other part of the cloud may make volumes that are the user's. A build
only waits for them. What is refused half-way, or not accepted in the end, is given back.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial

from nova_lite import concurrency, exception
from nova_lite.compute.create import Build
from nova_lite.context import RequestContext
from nova_lite.objects import BlockDevice, Instance
from nova_lite.volume.api import API as VolumeAPI

LOG = logging.getLogger(__name__)


def need(builds: Iterable[Build]) -> list[str]:
    """The servers for which the volume service will be asked."""
    return [
        build.instance.uuid for build in builds if any(device.is_volume for device in build.instance.block_devices)
    ]


def reserve(ctxt: RequestContext, volumes: VolumeAPI, builds: Iterable[Build]) -> list[Build]:
    """The builds with volumes for all their devices; a volume that is made is not ready yet.

    The user's own volumes come first: they may be refused, and a volume in the making cannot be deleted at once.

    :raises InvalidVolume: a volume is in use, or busy. :raises Unavailable: the volume service is; nothing is left.
    """
    done = [*builds]
    try:
        for made_here in (False, True):
            for index, build in enumerate(done):
                for device in build.instance.block_devices:
                    if device.is_volume and device.is_made_here == made_here:
                        held = _hold(ctxt, volumes, build.instance, device)
                        done[index] = replace(done[index], instance=_with(done[index].instance, held))
    except BaseException:
        give_back(ctxt, volumes, done)
        raise
    return done


def give_back(ctxt: RequestContext, volumes: VolumeAPI, builds: Iterable[Build]) -> None:
    """Undo :func:`reserve`; volumes that were made are deleted apart, as that may have to wait for their making."""
    made = []
    for build in builds:
        for device in build.instance.block_devices:
            if device.attachment_id is not None:
                _try(partial(volumes.attachment_delete, ctxt, device.attachment_id), device)
            if device.is_made_here and device.volume_id is not None:
                made.append(device)
    if made:
        concurrency.spawn(_delete, ctxt, volumes, made)


def _delete(ctxt: RequestContext, volumes: VolumeAPI, devices: list[BlockDevice]) -> None:
    for device in devices:
        _try(partial(volumes.wait_available, ctxt, str(device.volume_id)), device)
        _try(partial(volumes.delete, ctxt, str(device.volume_id)), device)


def _try(undo: Callable[[], object], device: BlockDevice) -> None:
    """Undo what can be; what cannot is said in the log."""
    try:
        undo()
    except exception.NovaLiteError as error:
        LOG.error("Volume %s could not be given back: %s", device.volume_id, error)


def _hold(ctxt: RequestContext, volumes: VolumeAPI, instance: Instance, device: BlockDevice) -> BlockDevice:
    if not device.is_made_here:
        try:
            attachment = volumes.attachment_create(ctxt, str(device.volume_id), instance.uuid)
        except exception.InvalidInput as error:
            raise exception.InvalidVolume(reason=error.message) from error
        return device.replace(attachment_id=attachment)
    made = volumes.create(
        ctxt,
        device.volume_size or 1,
        f"{instance.uuid}-blank-vol" if device.source_type == "blank" else "",
        image_id=device.uuid if device.source_type == "image" else None,
        snapshot_id=device.uuid if device.source_type == "snapshot" else None,
        volume_type=device.volume_type,
        made_for=instance.uuid,
    )
    return device.replace(volume_id=made.id, multiattach=made.multiattach)


def _with(instance: Instance, changed: BlockDevice) -> Instance:
    devices = (changed if each.bdm_uuid == changed.bdm_uuid else each for each in instance.block_devices)
    return instance.replace(block_devices=tuple(devices))
