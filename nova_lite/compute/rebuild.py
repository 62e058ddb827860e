"""Rebuilding: another root disk under the same server: uuid, claim, interfaces and host stay."""

from __future__ import annotations

from typing import Any

from nova_lite import exception
from nova_lite.compute import outcome, volumes
from nova_lite.compute.host import ComputeHost
from nova_lite.compute.task_states import TaskState
from nova_lite.compute.vm_states import VmState
from nova_lite.context import RequestContext
from nova_lite.objects import Instance, Operation


def rebuild(host: ComputeHost, ctxt: RequestContext, operation: Operation, instance: Instance) -> None:
    """Replace guest and disks, and report; a failure leaves the server in error, to be rebuilt or deleted.

    :raises StaleWrite: overtaken.
    """
    outcome.carry_out(host, ctxt, operation, instance, lambda: _replace(host, ctxt, operation, instance))


def _replace(host: ComputeHost, ctxt: RequestContext, operation: Operation, instance: Instance) -> dict[str, Any]:
    _check_ephemeral(host, operation, instance)

    def record(step: str, task: TaskState) -> None:
        host.conductor.progress(ctxt, operation.id, operation.attempt, step, {"task_state": task})

    # A disk that is whole may have been booted from: it is not made again after a crash.
    if "disks" not in operation.steps:
        host.driver.destroy(instance)
        record("guest", TaskState.REBUILD_BLOCK_DEVICE_MAPPING)
        host.driver.delete_disks(instance)
        host.driver.create_disks(ctxt, instance)
        if operation.args.get("reimage"):
            instance = _reimage(host, ctxt, operation, instance)
        record("disks", TaskState.REBUILD_SPAWNING)
    instance = volumes.connect_for_good(host, ctxt, operation, instance)
    host.driver.spawn(instance, instance.network_info)
    if operation.args.get("was") != VmState.STOPPED:
        return {"vm_state": VmState.ACTIVE, "block_devices": instance.block_devices}
    host.driver.power_off(instance, 0)  # type: ignore[attr-defined]
    return {"vm_state": VmState.STOPPED, "block_devices": instance.block_devices}


def _reimage(host: ComputeHost, ctxt: RequestContext, operation: Operation, instance: Instance) -> Instance:
    """The server with its volumes on no host, and the image in the one that it boots from."""
    instance = volumes.disconnect_all(host, ctxt, operation, instance)
    (root,) = (str(device.volume_id) for device in instance.block_devices if device.is_root)
    host.volume.wait_available(ctxt, root)
    host.volume.reimage(ctxt, root, operation.args["reimage"])
    host.volume.wait_available(ctxt, root)
    return instance


def _check_ephemeral(host: ComputeHost, operation: Operation, instance: Instance) -> None:
    """:raises NotSupported: there is an ephemeral disk to be kept, and the hypervisor cannot keep it."""
    wanted = operation.args.get("preserve_ephemeral") and instance.flavor.ephemeral_gb
    if wanted and "preserve_ephemeral" not in host.driver.capabilities:
        raise exception.NotSupported("The current driver does not support preserving ephemeral partitions.")
