"""Shelving: the server's disk goes into an image, and then the server off its host."""

from __future__ import annotations

import logging
from typing import Any

from nova_lite import exception
from nova_lite.clock import utcnow
from nova_lite.compute import actions, outcome, snapshot, volumes
from nova_lite.compute.host import ComputeHost
from nova_lite.compute.power import SHUTDOWN_TIMEOUT_S
from nova_lite.compute.power_states import PowerState
from nova_lite.compute.task_states import TaskState
from nova_lite.compute.vm_states import VmState
from nova_lite.context import RequestContext
from nova_lite.objects import Instance, Operation

LOG = logging.getLogger(__name__)

_SHELVED = "shelved"
_GIVEN_UP = "given up"
_RUNS = (PowerState.RUNNING, PowerState.PAUSED)


def shelve(host: ComputeHost, ctxt: RequestContext, operation: Operation, instance: Instance) -> None:
    """Stop the guest and put its disk into the image; at once off the host where the request was told so.

    After a failure the guest runs on as before; once it is shelved, a failure leaves it so, and the sweep of shelved
    servers takes it off the host. :raises StaleWrite: overtaken.
    """
    try:
        outcome.require(host, actions.SHELVE)
    except exception.NotSupported as error:
        outcome.fail(host, ctxt, operation, instance, error)
        return
    if operation.args.get("stage") == "undo":
        _go_back(host, ctxt, operation, instance)
        host.conductor.fail_operation(ctxt, operation.id, operation.attempt, operation.args["failure"], "", 500)
        return
    try:
        if _GIVEN_UP in operation.steps:
            raise exception.Conflict("Its host was restarted when the shelving had failed.")
        if _SHELVED not in operation.steps:
            instance = _put_on_the_shelf(host, ctxt, operation, instance)
        if operation.args["offload"]:
            _clear_host(host, ctxt, operation, instance)
    except (exception.StaleWrite, exception.ServiceStopping):
        raise
    except Exception as error:
        if instance.vm_state != VmState.SHELVED:
            _go_back(host, ctxt, operation, instance)
        outcome.fail(host, ctxt, operation, instance, error)
        return
    ends = {"vm_state": VmState.SHELVED_OFFLOADED} if operation.args["offload"] else {}
    host.conductor.finish_operation(ctxt, operation.id, operation.attempt, PowerState.SHUTDOWN, ends)


def shelve_offload(host: ComputeHost, ctxt: RequestContext, operation: Operation, instance: Instance) -> None:
    """Take a shelved server off this host, tried until nothing of it is left, unless its disk here is the only one.

    :raises StaleWrite: overtaken.
    """
    try:
        _clear_host(host, ctxt, operation, instance)
    except (exception.StaleWrite, exception.ServiceStopping):
        raise
    except exception.ImageUnacceptable as error:
        outcome.fail(host, ctxt, operation, instance, error)
        return
    except Exception as error:
        outcome.try_later(host, ctxt, operation, "Offloading", error)
        return
    host.conductor.finish_operation(ctxt, operation.id, operation.attempt, PowerState.SHUTDOWN, {})


def _put_on_the_shelf(
    host: ComputeHost, ctxt: RequestContext, operation: Operation, instance: Instance
) -> Instance:
    """The server, shelved; written in one turn with what an unshelve must find again."""
    if instance.vm_state in (VmState.ACTIVE, VmState.PAUSED) or host.driver.power_state(instance) in _RUNS:
        host.driver.power_off(instance, SHUTDOWN_TIMEOUT_S)  # type: ignore[attr-defined]
    if operation.args.get("image_id") is not None:
        snapshot.to_image(
            host, ctxt, operation, instance, TaskState.SHELVING_IMAGE_PENDING_UPLOAD, TaskState.SHELVING_IMAGE_UPLOADING
        )
    values: dict[str, Any] = {
        "vm_state": VmState.SHELVED,
        "power_state": PowerState.SHUTDOWN,
        "system_metadata": {
            **instance.system_metadata,
            "shelved_at": utcnow().isoformat(),
            "shelved_image_id": operation.args.get("image_id"),
            "shelved_host": host.name,
        },
    }
    if operation.args["offload"]:
        values["task_state"] = TaskState.SHELVING_OFFLOADING
    host.conductor.progress(ctxt, operation.id, operation.attempt, _SHELVED, values)
    return instance.replace(**values)


def _go_back(host: ComputeHost, ctxt: RequestContext, operation: Operation, instance: Instance) -> None:
    """Written down first: from then on the disk is newer than the image, which nobody takes for the disk's any more.

    Whether the server was written down as shelved is not known where the answer to that was lost.
    """
    as_before = {"vm_state": instance.vm_state, "system_metadata": instance.system_metadata}
    host.conductor.progress(ctxt, operation.id, operation.attempt, _GIVEN_UP, as_before)
    _wake_up(host, instance)


def _wake_up(host: ComputeHost, instance: Instance) -> None:
    try:
        if instance.vm_state in (VmState.ACTIVE, VmState.PAUSED):
            host.driver.power_on(instance, instance.network_info)  # type: ignore[attr-defined]
        if instance.vm_state == VmState.PAUSED:
            host.driver.pause(instance)  # type: ignore[attr-defined]
    except Exception:
        LOG.exception("Server %s could not be brought back after its shelving failed", instance.uuid)


def _clear_host(host: ComputeHost, ctxt: RequestContext, operation: Operation, instance: Instance) -> None:
    """Guest and disks are removed; interfaces and volumes stay the server's and are on no host.

    :raises ImageUnacceptable: the disk that is here is nowhere else. Nothing was touched.
    """
    if instance.uuid in host.driver.list_disks():
        _require_copy(host, ctxt, instance)
    host.driver.destroy(instance)
    host.network.unbind(ctxt, instance, host.name)
    volumes.disconnect_all(host, ctxt, operation, instance)
    host.driver.delete_disks(instance)


def _require_copy(host: ComputeHost, ctxt: RequestContext, instance: Instance) -> None:
    """:raises ImageUnacceptable: the server's image is not whole, or its guest has run since it was made."""
    if instance.is_volume_backed:
        return
    image_id = instance.system_metadata.get("shelved_image_id")
    try:
        status = host.image.get(ctxt, str(image_id)).status
    except exception.ImageNotFound:
        status = "gone"
    if status != "active":
        reason = f"it is {status}, and the server's disk is not in it."
        raise exception.ImageUnacceptable(image_id=image_id, reason=reason)
    if host.driver.power_state(instance) in _RUNS:
        raise exception.ImageUnacceptable(image_id=image_id, reason="the server's guest runs: its disk is newer.")
