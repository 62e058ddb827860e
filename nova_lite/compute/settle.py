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
from nova_lite.compute.revert import make_room, take_back
from nova_lite.compute.vm_states import VmState
from nova_lite.context import RequestContext
from nova_lite.objects import BlockDevice, Instance, Operation, Vif


def settle(host: ComputeHost, ctxt: RequestContext, operation: Operation, instance: Instance) -> None:
    """Bind all of it here, tried until it is done. A server that moved since had it done by who moved it.

    :raises StaleWrite: another worker overtook this one, or the server is being deleted.
    """
    if operation.args.get("asked") == host.name and _is_current(operation, instance):
        _answer(host, ctxt, operation, instance)
        return
    turn = next((_TURNS[name] for name in _TURNS if operation.args.get(name)), _follow)
    try:
        values = turn(host, ctxt, operation, instance)
    except (exception.StaleWrite, exception.ServiceStopping):
        raise
    except Exception as error:
        _look_there(host, ctxt, operation)
        outcome.try_later(host, ctxt, operation, "What is bound of a guest", error)
        return
    outcome.carry_out(host, ctxt, operation, instance, lambda: values)
    _look_there(host, ctxt, operation)


def _follow(host: ComputeHost, ctxt: RequestContext, operation: Operation, instance: Instance) -> dict[str, Any]:
    """A live migration was given up, and the guest is here.

    :raises GuestNotFound: it is not. It will be found on the other host, and the row follows it.
    """
    if _is_current(operation, instance):
        if host.driver.find_guest(instance.uuid) is None:
            raise exception.GuestNotFound(instance_uuid=instance.uuid)
        host.conductor.progress(ctxt, operation.id, operation.attempt, actions.FOUND_STEP, {})
        brought = [BlockDevice.from_primitive(device) for device in operation.args["devices"]]
        volumes.follow(host, ctxt, operation, instance, brought)
    return {"network_info": host.network.move(ctxt, instance, host.name)}


def _answer(host: ComputeHost, ctxt: RequestContext, operation: Operation, instance: Instance) -> None:
    """The source is down, and this is where the guest was sent: it has come, or will not come any more.

    Either way it is known where it is, and the rest is for the host that has it.
    """
    try:
        outcome.require(host, actions.LIVE_MIGRATE)
        arriving = instance.replace(generation=instance.generation + 1)
        stayed = host.driver.rollback_live_migration(arriving)  # type: ignore[attr-defined]
    except (exception.StaleWrite, exception.ServiceStopping):
        raise
    except Exception as error:
        outcome.try_later(host, ctxt, operation, "Whether a guest has come", error)
        return
    if stayed:
        host.conductor.progress(ctxt, operation.id, operation.attempt, actions.FOUND_STEP, {})
    else:
        node = operation.args["dest_node"]
        host.conductor.guest_moved(ctxt, instance.uuid, instance.generation, host.name, node)
    outcome.put_down(host, ctxt, operation, f"The guest has {'not ' if stayed else ''}come to {host.name}.")


def _come_back(host: ComputeHost, ctxt: RequestContext, operation: Operation, instance: Instance) -> dict[str, Any]:
    """A cold move was given up: the destination may have taken volumes and interfaces over.

    A guest that was set aside is there again, and off: nobody knows whether the destination started its own. What a
    move on this host made goes first of all: until then nothing else is done to the server.
    """
    values: dict[str, Any] = {"network_info": _bind_again(host, ctxt, operation, instance)}
    if instance.vm_state == VmState.ACTIVE and host.driver.power_state(instance) != PowerState.RUNNING:
        values["vm_state"] = VmState.STOPPED  # whoever looks at its power state finds nothing new
    return values


def _bind_again(host: ComputeHost, ctxt: RequestContext, operation: Operation, instance: Instance) -> tuple[Vif, ...]:
    if not _is_current(operation, instance):
        return host.network.move(ctxt, instance, host.name)
    able = "migrate" in host.driver.capabilities
    if able and operation.args.get("made_here"):
        make_room(host, ctxt, operation, instance)
    instance = volumes.connect_for_good(host, ctxt, operation, instance)
    is_here = host.driver.find_guest(instance.uuid) is not None
    if able and not is_here:
        return take_back(host, ctxt, instance, power_on=False)
    if is_here:
        # What a live migration has made ready elsewhere is nobody's then: see evacuations.was_found.
        host.conductor.progress(ctxt, operation.id, operation.attempt, actions.FOUND_STEP, {})
    return host.network.move(ctxt, instance, host.name)


def _let_go(host: ComputeHost, ctxt: RequestContext, operation: Operation, instance: Instance) -> dict[str, Any]:
    """A move is over, and the server stays what it became: what was set aside here is nobody's.

    Only while the guest stands beside it, and is this server's as it is now: else it may be the only whole copy, or a
    later move's. :raises ServerBusy: who is at work may be setting aside what is there.
    """
    if instance.task_state is not None:
        raise exception.ServerBusy(instance_uuid=instance.uuid)
    guest = host.driver.find_guest(instance.uuid)
    is_here = guest is not None and guest.generation == instance.generation and instance.vm_state != VmState.ERROR
    if is_here and _is_current(operation, instance) and "migrate" in host.driver.capabilities:
        host.driver.confirm_migration(instance)  # type: ignore[attr-defined]
    return {"network_info": host.network.move(ctxt, instance, host.name)}


def _is_current(operation: Operation, instance: Instance) -> bool:
    """Whether the server has not moved since."""
    return bool(instance.generation == operation.args["generation"])


def _look_there(host: ComputeHost, ctxt: RequestContext, operation: Operation) -> None:
    """The other side may have the guest, or something that it left."""
    for side in operation.args["sides"]:
        if side != host.name:
            host.conductor.look_around(ctxt, side)


# By the argument that says what was given up; without one, it was a live migration.
_TURNS = {"back": _come_back, "let_go": _let_go}
