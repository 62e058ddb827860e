"""Rescue: the guest runs from another image with its own disk beside, until it is told to come back."""

from __future__ import annotations

import logging
from typing import Any

from nova_lite import exception
from nova_lite.clock import utcnow
from nova_lite.compute import outcome
from nova_lite.compute.host import ComputeHost
from nova_lite.compute.vm_states import VmState
from nova_lite.context import RequestContext
from nova_lite.objects import ImageMeta, Instance, Operation

LOG = logging.getLogger(__name__)

# Raised before the hypervisor was asked at all: there is nothing to undo.
_NOT_ASKED = (exception.StaleWrite, exception.ServiceStopping, exception.HostFenced)
# The step that says that a failed rescue could not be undone.
_LOST = "guest lost"


def rescue(host: ComputeHost, ctxt: RequestContext, operation: Operation, instance: Instance) -> None:
    """Boot the rescue image, and report; after a failure the guest is as it was, or the server in error.

    What it has done when it is too late stays: the server's row follows its guest (conductor/hosts.py).

    :raises StaleWrite: overtaken.
    """

    def work() -> dict[str, Any]:
        image = _image(host, ctxt, operation, instance)
        try:
            host.driver.rescue(ctxt, instance, instance.network_info, image)  # type: ignore[attr-defined]
        except _NOT_ASKED:
            raise
        except Exception:
            if not _restore(host, instance):
                host.conductor.progress(ctxt, operation.id, operation.attempt, _LOST, {"vm_state": VmState.ERROR})
            raise
        return {"launched_at": utcnow()}

    outcome.carry_out(host, ctxt, operation, instance, work)


def unrescue(host: ComputeHost, ctxt: RequestContext, operation: Operation, instance: Instance) -> None:
    """Boot its own disk, and report; a failure leaves it in error, with whatever disk it runs from.

    A hard reboot, or a rescue and an unrescue, bring it back. :raises StaleWrite: overtaken.
    """
    outcome.carry_out(
        host, ctxt, operation, instance,
        lambda: host.driver.unrescue(instance, instance.network_info),  # type: ignore[attr-defined]
    )  # fmt: skip


def _image(host: ComputeHost, ctxt: RequestContext, operation: Operation, instance: Instance) -> ImageMeta:
    """The image that the request named, else the server's own as it was when it was built."""
    image_ref = operation.args.get("image_ref")
    if image_ref is None and instance.image is not None:
        return instance.image
    return host.image.get(ctxt, image_ref or instance.image_ref)


def _restore(host: ComputeHost, instance: Instance) -> bool:
    """Whether the guest is as it was before."""
    try:
        host.driver.unrescue(instance, instance.network_info)  # type: ignore[attr-defined]
        if instance.vm_state == VmState.STOPPED:
            host.driver.power_off(instance, 0)  # type: ignore[attr-defined]
    except Exception:
        LOG.exception("Server %s could not be brought back after its rescue failed", instance.uuid)
        return False
    return True
