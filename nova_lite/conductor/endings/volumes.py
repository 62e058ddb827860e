"""The ends of attaching, detaching and swapping volumes: the device on the server's row, changed under its lock."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from nova_lite import exception
from nova_lite.compute import actions
from nova_lite.db.api import instances, operations
from nova_lite.objects import BlockDevice, Instance, Operation

# How long a host may be away that has a volume to take back, in seconds, before nobody waits for it any more.
_PATIENCE_S = 86_400.0


def changed(operation: Operation, instance: Instance, report: dict[str, Any]) -> dict[str, Any]:
    """The device is as its host says: connected, or another volume."""
    return {"block_devices": as_reported(instance.uuid, report["block_devices"])}


def as_reported(instance_uuid: str, devices: Iterable[BlockDevice]) -> tuple[BlockDevice, ...]:
    """A server's devices with what a host says of those that it knows: others came meanwhile, or are gone for good."""
    said = {device.bdm_uuid: device for device in devices}
    return tuple(_merged(device, said.get(device.bdm_uuid)) for device in instances.locked(instance_uuid).block_devices)


def _merged(device: BlockDevice, said: BlockDevice | None) -> BlockDevice:
    """What a user may change meanwhile is the user's."""
    return device if said is None else said.replace(delete_on_termination=device.delete_on_termination)


def detached(operation: Operation, instance: Instance, report: dict[str, Any]) -> dict[str, Any]:
    return {"block_devices": _without(operation)}


def undo(operation: Operation, instance: Instance, reason: str) -> bool:
    """An attach or a swap that was not done in time: who has the guest may take its time to take the volume back.

    Of a swap it asks the guest first: one that has the new volume keeps it.
    """
    row = actions.by_name(operation.action)
    if operation.args.get("stage") == "undo":
        return False
    operations.finish_event(operation.id, row.event, "Error", details=reason)
    args = {**operation.args, "stage": "undo", "failure": reason}
    topic = "conductor" if instance.host is None else "compute"
    if not operations.seize(operation, topic, args, host=instance.host, timeout_s=_PATIENCE_S):
        raise exception.StaleWrite(what=f"Operation {operation.id}")
    return True


def is_in_the_way(operation: Operation) -> bool:
    """Whether nobody knows which volume the guest has, of a swap on this very host: the row may name the old.

    A guest that is made anew of that loses what was written since the copy. Once the server is on another host, the
    guest there was made of its row.
    """
    return any(
        each.action == actions.SWAP_VOLUME.name and each.host == operation.host and _may_be_copied(each)
        for each in operations.open_for_instance(operation.instance_uuid)
    )


def _may_be_copied(swap: Operation) -> bool:
    said = [step for step in swap.steps if step in (actions.COPYING_STEP, actions.KEPT_STEP)]
    return said[-1:] == [actions.COPYING_STEP] and swap.noted(actions.SWAPPED_STEP) is None


def attach_failed(operation: Operation, instance: Instance) -> dict[str, Any]:
    """A device that its host has undone is no more; one that nobody could undo stays, to be detached."""
    return {"block_devices": _without(operation)} if actions.UNDONE_STEP in operation.steps else {}


def _without(operation: Operation) -> tuple[BlockDevice, ...]:
    present = instances.locked(operation.instance_uuid).block_devices
    return tuple(device for device in present if device.bdm_uuid != operation.args["bdm_uuid"])
