"""Rescue: the guest runs from another image with its own disk beside, until it is told to come back."""

from __future__ import annotations

import logging
from typing import Any

from nova_lite.clock import utcnow
from nova_lite.compute import outcome
from nova_lite.compute.host import ComputeHost
from nova_lite.compute.vm_states import VmState
from nova_lite.context import RequestContext
from nova_lite.objects import ImageMeta, Instance, Operation

LOG = logging.getLogger(__name__)


# What a rescued server remembers: from which image it runs.
_MEMORY = "rescue_image_ref"


def rescue(host: ComputeHost, ctxt: RequestContext, operation: Operation, instance: Instance) -> None:
    """Boot the rescue image, and report; after a failure the guest is as it was. :raises StaleWrite: overtaken."""

    def work() -> dict[str, Any]:
        image = _image(host, ctxt, operation.args.get("image_ref"), instance)
        try:
            host.driver.rescue(ctxt, instance, instance.network_info, image)  # type: ignore[attr-defined]
        except Exception:
            _restore(host, instance)
            raise
        return {"launched_at": utcnow(), "system_metadata": {**instance.system_metadata, _MEMORY: image.id}}

    outcome.carry_out(host, ctxt, operation, instance, work)


def unrescue(host: ComputeHost, ctxt: RequestContext, operation: Operation, instance: Instance) -> None:
    """Boot its own disk, and report; after a failure it is rescued as before. :raises StaleWrite: overtaken."""

    def work() -> dict[str, Any]:
        try:
            host.driver.unrescue(instance, instance.network_info)  # type: ignore[attr-defined]
        except Exception:
            _rescue_again(host, ctxt, instance)
            raise
        return {"system_metadata": {key: value for key, value in instance.system_metadata.items() if key != _MEMORY}}

    outcome.carry_out(host, ctxt, operation, instance, work)


def _image(host: ComputeHost, ctxt: RequestContext, image_ref: str | None, instance: Instance) -> ImageMeta:
    """The image that was named, else the server's own as it was when it was built."""
    if instance.image is not None and image_ref in (None, instance.image.id):
        return instance.image
    return host.image.get(ctxt, image_ref or instance.image_ref)


def _restore(host: ComputeHost, instance: Instance) -> None:
    try:
        host.driver.unrescue(instance, instance.network_info)  # type: ignore[attr-defined]
        if instance.vm_state == VmState.STOPPED:
            host.driver.power_off(instance, 0)  # type: ignore[attr-defined]
    except Exception:
        LOG.exception("Server %s could not be brought back after its rescue failed", instance.uuid)


def _rescue_again(host: ComputeHost, ctxt: RequestContext, instance: Instance) -> None:
    try:
        image_ref = instance.system_metadata.get(_MEMORY)
        image = _image(host, ctxt, None if image_ref is None else str(image_ref), instance)
        host.driver.rescue(ctxt, instance, instance.network_info, image)  # type: ignore[attr-defined]
    except Exception:
        LOG.exception("Server %s could not be brought back after its unrescue failed", instance.uuid)
