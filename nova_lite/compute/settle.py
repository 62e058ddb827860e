"""What is bound of a server whose move was given up: interfaces and volumes go to where its guest is.

The conductors opened this (conductor/arrivals.py, resets.py); the host whose turn it is may be the one that the guest
has left.
"""

from __future__ import annotations

from typing import Any

from nova_lite import exception
from nova_lite.compute import actions, outcome, volumes
from nova_lite.compute.host import ComputeHost
from nova_lite.compute.power_states import PowerState
from nova_lite.compute.revert import take_back
from nova_lite.compute.vm_states import VmState
from nova_lite.context import RequestContext
from nova_lite.objects import BlockDevice, Instance, Operation, Vif


def settle(host: ComputeHost, ctxt: RequestContext, operation: Operation, instance: Instance) -> None:
    """Bind all of it here, tried until it is done. A server that moved since had it done by who moved it.

    :raises StaleWrite: another worker overtook this one, or the server is being deleted.
    """
    try:
        vifs = _bind(host, ctxt, operation, instance)
    except (exception.StaleWrite, exception.ServiceStopping):
        raise
    except Exception as error:
        _look_there(host, ctxt, operation)
        outcome.try_later(host, ctxt, operation, "What is bound of a guest", error)
        return
    values: dict[str, Any] = {"network_info": vifs}
    if operation.args.get("back") and instance.vm_state == VmState.ACTIVE and not _runs(host, instance):
        values["vm_state"] = VmState.STOPPED  # whoever looks at its power state finds nothing new
    outcome.carry_out(host, ctxt, operation, instance, lambda: values)
    _look_there(host, ctxt, operation)


def _bind(host: ComputeHost, ctxt: RequestContext, operation: Operation, instance: Instance) -> tuple[Vif, ...]:
    """:raises GuestNotFound: it is not here. It will be found on the other host, and the row follows it."""
    if operation.args.get("back"):
        return _come_back(host, ctxt, operation, instance)
    if instance.generation == operation.args["generation"]:
        if host.driver.find_guest(instance.uuid) is None:
            raise exception.GuestNotFound(instance_uuid=instance.uuid)
        host.conductor.progress(ctxt, operation.id, operation.attempt, actions.FOUND_STEP, {})
        brought = [BlockDevice.from_primitive(device) for device in operation.args["devices"]]
        volumes.follow(host, ctxt, operation, instance, brought)
    return host.network.move(ctxt, instance, host.name)


def _come_back(host: ComputeHost, ctxt: RequestContext, operation: Operation, instance: Instance) -> tuple[Vif, ...]:
    """A cold move was given up: the destination may have taken volumes and interfaces over.

    A guest that was set aside is there again, and off: nobody knows whether the destination started its own.
    """
    if instance.generation != operation.args["generation"]:
        return host.network.move(ctxt, instance, host.name)
    instance = volumes.connect_for_good(host, ctxt, operation, instance)
    if "migrate" in host.driver.capabilities and host.driver.find_guest(instance.uuid) is None:
        return take_back(host, ctxt, instance, power_on=False)
    return host.network.move(ctxt, instance, host.name)


def _runs(host: ComputeHost, instance: Instance) -> bool:
    return host.driver.power_state(instance) == PowerState.RUNNING


def _look_there(host: ComputeHost, ctxt: RequestContext, operation: Operation) -> None:
    """The other side may have the guest, or something that it left."""
    for side in operation.args["sides"]:
        if side != host.name:
            host.conductor.look_around(ctxt, side)
