"""Unshelving: a guest made of the shelved image on a new host, or the one that is still here started."""

from __future__ import annotations

from typing import Any

from nova_lite import exception
from nova_lite.compute import outcome, stale, steps, volumes
from nova_lite.compute.host import ComputeHost
from nova_lite.context import RequestContext
from nova_lite.objects import ImageMeta, Instance, Operation, Vif


def unshelve(host: ComputeHost, ctxt: RequestContext, operation: Operation, instance: Instance) -> None:
    """Start or build the guest, and report; after a failure nothing of a guest that was built is left here.

    One that is to be started is built, too, when it is not here any more: a way off this host was given up after that.

    :raises StaleWrite: overtaken; what was built is undone.
    """

    def work() -> None:
        if operation.args.get("stage") == "start" and host.driver.find_guest(instance.uuid) is not None:
            host.driver.power_on(instance, instance.network_info)  # type: ignore[attr-defined]
        else:
            _build(host, ctxt, operation, instance)

    outcome.carry_out(host, ctxt, operation, instance, work)


def _build(host: ComputeHost, ctxt: RequestContext, operation: Operation, instance: Instance) -> None:
    vifs: list[Vif] = []
    # The server as it will be here.
    here = [instance]

    def network() -> dict[str, Any]:
        vifs[:] = host.network.move(ctxt, instance, host.name)
        return {"network_info": tuple(vifs)}

    def connect() -> dict[str, Any]:
        here[0] = volumes.connect_all(host, ctxt, operation, instance, reserves=True)
        return {"block_devices": here[0].block_devices}

    def reserve() -> None:
        # What connect_all could neither finish nor undo is written down all the same.
        if here[0] is instance and volumes.has_volumes(instance):
            here[0] = host.conductor.look_again(ctxt, operation.id, operation.attempt)
        if volumes.held(here[0], host.name):
            volumes.disconnect_all(host, ctxt, operation, here[0])

    def disks() -> dict[str, Any]:
        host.driver.create_disks(ctxt, instance.replace(image=_image(host, ctxt, instance)))
        return {}

    def guest() -> dict[str, Any]:
        host.driver.spawn(here[0], tuple(vifs))
        return {}

    def no_disks() -> None:
        # One that has its host still may have had its disk here before, and it may be the only one.
        if not has_host:
            host.driver.delete_disks(instance)

    has_host = operation.args.get("stage") == "start"
    # A server that has its host still is of its own generation there: that is no proof.
    room = () if has_host else (stale.clearing(host, operation, instance, instance.generation - 1),)
    plan = (
        *room,
        steps.Step("network", network, lambda: host.network.unbind(ctxt, instance, host.name), lasts=True),
        steps.Step("volumes", connect, reserve, lasts=True),
        steps.Step("disks", disks, no_disks),
        steps.Step("guest", guest, lambda: host.driver.destroy(instance)),
    )

    def record(step: str, values: dict[str, Any]) -> None:
        host.conductor.progress(ctxt, operation.id, operation.attempt, step, values)

    steps.run(plan, record, f"Unshelving of {instance.uuid}")


def _image(host: ComputeHost, ctxt: RequestContext, instance: Instance) -> ImageMeta | None:
    """Where the server's disk is. :raises NotFound: somebody removed it."""
    image_id = instance.system_metadata.get("shelved_image_id")
    if not image_id:
        return instance.image
    try:
        return host.image.get(ctxt, str(image_id))
    except exception.ImageNotFound:
        raise exception.NotFound(f"Unshelve attempted but the image {image_id} cannot be found.") from None
