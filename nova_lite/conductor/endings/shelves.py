"""The ends of shelving: claims given back, hosts left, images that are needed no more."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nova_lite import exception
from nova_lite.compute import actions
from nova_lite.compute.vm_states import ON_ITS_DISK, VmState
from nova_lite.conductor import resets
from nova_lite.conductor.endings import snapshots
from nova_lite.db import clock
from nova_lite.db.api import allocations, console_tokens, operations, provisional_images
from nova_lite.objects import Instance, Operation

# Servers whose guests are stopped to be shelved.
_WOKEN = (VmState.ACTIVE, VmState.PAUSED)
# What a shelved server's system_metadata holds.
_MEMORY = ("shelved_at", "shelved_image_id", "shelved_host")


def shelved(operation: Operation, instance: Instance, report: dict[str, Any]) -> dict[str, Any]:
    """The image stays; where the host has let go of the server already, it has no host any more.

    A host's clock may be wrong: since when it is on the shelf is said again by the one that conductors judge by.
    """
    snapshots.done(operation, instance, report)
    since = {"system_metadata": {**instance.system_metadata, "shelved_at": clock.now().isoformat()}}
    return since | (homeless(instance) if report.get("vm_state") == VmState.SHELVED_OFFLOADED else {})


def shelve_undo(operation: Operation, instance: Instance, reason: str) -> bool:
    """Before it is shelved a server runs on: its host, which has stopped the guest, wakes it again."""
    begun = operation.host is not None and operation.attempt > 0
    if not begun or operation.args.get("stage") == "undo" or instance.vm_state not in _WOKEN:
        return False
    row = actions.SHELVE
    operations.finish_event(operation.id, row.event, "Error", details=reason)
    undoing = {**operation.args, "stage": "undo", "failure": reason}
    if not operations.seize(operation, "compute", undoing, host=operation.host, timeout_s=row.timeout_s):
        raise exception.StaleWrite(what=f"Operation {operation.id}")
    return True


def offloaded(operation: Operation, instance: Instance, report: dict[str, Any]) -> dict[str, Any]:
    """Where its host had no part in it, what is bound there is seen to afterwards."""
    if operation.host is None:
        _leave(instance)
    return homeless(instance)


def unshelved(operation: Operation, instance: Instance, report: dict[str, Any]) -> dict[str, Any]:
    """The image that it was shelved in goes, in the transaction that says that it runs."""
    return {**_forgotten(instance), "launched_at": clock.now()}


def taken_down(instance: Instance, values: Mapping[str, Any]) -> dict[str, Any]:
    """What ended with ``values`` made the server work with its own disk again: what its image holds is older now.

    Not one that is elsewhere than it was shelved: its image may be all there is of it.
    """
    if values.get("vm_state") not in ON_ITS_DISK or "system_metadata" in values:
        return {}
    host = values.get("host", instance.host)
    if "shelved_at" not in instance.system_metadata or instance.system_metadata.get("shelved_host") != host:
        return {}
    return _forgotten(instance)


def unshelve_failed(operation: Operation, instance: Instance) -> dict[str, Any]:
    """It is where it was: on no host."""
    return homeless(instance) if instance.vm_state == VmState.SHELVED_OFFLOADED else {}


def unshelve_given_up(operation: Operation, instance: Instance) -> None:
    """The host that was making it takes back what it did, if it lives; what is bound there goes in any case."""
    if operation.args.get("stage") == "spawn" and instance.vm_state == VmState.SHELVED_OFFLOADED:
        _leave(instance)


def gone(instance: Instance) -> None:
    """A server is deleted while it is shelved, or runs again: its disk is not needed in an image any more."""
    image_id = instance.system_metadata.get("shelved_image_id")
    if image_id:
        provisional_images.discard(str(image_id), instance.uuid)


def _forgotten(instance: Instance) -> dict[str, Any]:
    gone(instance)
    return {"system_metadata": {key: value for key, value in instance.system_metadata.items() if key not in _MEMORY}}


def _leave(instance: Instance) -> None:
    """Of a server that is about to lose its host."""
    if instance.host is not None:
        resets.leave(instance.replace(host=None, node=None, generation=instance.generation + 1), instance.host)


def homeless(instance: Instance) -> dict[str, Any]:
    """Give back what a server holds of its host; the fields that say that it has none."""
    allocations.release(instance.uuid)
    console_tokens.forget(instance.uuid)
    if instance.host is None:
        return {}
    return {"host": None, "node": None, "generation": instance.generation + 1}
