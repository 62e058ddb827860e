"""The ends of attaching, detaching and swapping volumes: the device on the server's row, changed under its lock."""

from __future__ import annotations

from typing import Any

from nova_lite.db.api import instances
from nova_lite.objects import BlockDevice, Instance, Operation

# What a host records when a failed attach has left nothing: compute/attach_volume.py.
_UNDONE = "undone"


def changed(operation: Operation, instance: Instance, report: dict[str, Any]) -> dict[str, Any]:
    """The device is as its host says: connected, or another volume. One that is gone meanwhile stays gone."""
    (new,) = report["block_devices"]
    present = instances.locked(instance.uuid).block_devices
    return {"block_devices": tuple(_merged(device, new) for device in present)}


def _merged(device: BlockDevice, new: BlockDevice) -> BlockDevice:
    """What a user may change meanwhile is the user's."""
    if device.bdm_uuid != new.bdm_uuid:
        return device
    return new.replace(delete_on_termination=device.delete_on_termination)


def detached(operation: Operation, instance: Instance, report: dict[str, Any]) -> dict[str, Any]:
    return {"block_devices": _without(operation)}


def attach_failed(operation: Operation, instance: Instance) -> dict[str, Any]:
    """A device that its host has undone is no more; one that nobody could undo stays, to be detached."""
    return {"block_devices": _without(operation)} if _UNDONE in operation.steps else {}


def _without(operation: Operation) -> tuple[BlockDevice, ...]:
    present = instances.locked(operation.instance_uuid).block_devices
    return tuple(device for device in present if device.bdm_uuid != operation.args["bdm_uuid"])
