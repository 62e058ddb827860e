"""A guest gets one interface more, or one less."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, TypeVar

from nova_lite import exception
from nova_lite.compute import actions, outcome, plugs, steps
from nova_lite.compute.custody import Place
from nova_lite.compute.host import ComputeHost
from nova_lite.context import RequestContext
from nova_lite.objects import Instance, NetworkRequest, Operation, Presence, Vif

LOG = logging.getLogger(__name__)

T = TypeVar("T")
# Where a server may be whose interfaces another host plugs, or is about to.
_ELSEWHERE = (Place.EVACUATING, Place.MOVING, Place.UNPROVED, Place.SENT, Place.ELSEWHERE)


def attach(host: ComputeHost, ctxt: RequestContext, operation: Operation, instance: Instance) -> None:
    """Port first, then guest; when the guest refuses, or somebody overtook this worker, the port goes again.

    It stays where the server went elsewhere meanwhile: whoever took it there has taken the port along.

    An attach of which nothing can be undone just now is tried again as a whole: a port must not be forgotten.

    :raises StaleWrite: overtaken.
    """
    try:
        try:
            outcome.require(host, actions.ATTACH_INTERFACE)
            _attach(host, ctxt, operation, instance)
        except (exception.StaleWrite, exception.ServiceStopping):
            raise
        except Exception as error:
            host.conductor.look_again(ctxt, operation.id, operation.attempt)  # proves that it is still ours to undo
            _fail(host, ctxt, operation, instance, error)
    except exception.StaleWrite:
        if not _is_taken_along(host, ctxt, instance):
            _undo(host, ctxt, operation, instance)
        raise


def _attach(host: ComputeHost, ctxt: RequestContext, operation: Operation, instance: Instance) -> None:
    vif = host.network.attach(ctxt, instance, _request(operation), _key(operation))
    host.conductor.progress(ctxt, operation.id, operation.attempt, actions.PORT_STEP + vif.id, {})
    plugs.attach_interface(host, instance, vif)
    power_state = host.driver.power_state(instance)
    host.conductor.finish_operation(ctxt, operation.id, operation.attempt, power_state, {"network_info": (vif,)})


def _fail(
    host: ComputeHost, ctxt: RequestContext, operation: Operation, instance: Instance, error: Exception
) -> None:
    if not _undo(host, ctxt, operation, instance):
        outcome.try_later(host, ctxt, operation, "Attaching an interface", error)
        return
    host.conductor.progress(ctxt, operation.id, operation.attempt, actions.UNDONE_STEP, {})
    outcome.fail(host, ctxt, operation, instance, error)


def _is_taken_along(host: ComputeHost, ctxt: RequestContext, instance: Instance) -> bool:
    """Whether another host has, or gets, the server of who was overtaken: the port is that guest's by now."""
    presence = Presence(instance.uuid, generation=instance.generation, has_disks=True)
    ruling = host.conductor.judge_guests(ctxt, host.name, [presence])["rulings"][instance.uuid]
    return ruling["place"] in _ELSEWHERE


def _undo(host: ComputeHost, ctxt: RequestContext, operation: Operation, instance: Instance) -> bool:
    """Whether neither guest nor network service have anything of this attach any more."""
    try:
        for vif in host.network.attached(ctxt, instance, _request(operation), _key(operation)):
            if "interfaces" in host.driver.capabilities:
                plugs.detach_interface(host, instance, vif)
            host.network.detach(ctxt, instance, vif.id)
    except Exception:
        LOG.exception("An interface of %s could not be taken back", instance.uuid)
        return False
    return True


def _request(operation: Operation) -> NetworkRequest:
    return NetworkRequest(**operation.args["request"])


def _key(operation: Operation) -> str:
    return actions.ATTACH_KEY % operation.id


def detach(host: ComputeHost, ctxt: RequestContext, operation: Operation, instance: Instance) -> None:
    """Guest first, then port, tried until the network service answers: it may have done what it did not answer.

    What the guest keeps is still listed, and can be detached again.
    """
    port_id = operation.args["port_id"]

    def work() -> dict[str, Any]:
        vif = _asked(lambda: _find(host, ctxt, instance, port_id))
        if vif is not None:
            plugs.detach_interface(host, instance, vif)
        _asked(lambda: host.network.detach(ctxt, instance, port_id))
        return {}

    outcome.carry_out(host, ctxt, operation, instance, work)


def _asked(call: Callable[[], T]) -> T:
    """What the network service answers. :raises NotNow: nothing."""
    try:
        return call()
    except exception.Unavailable as error:
        raise steps.NotNow from error


def _find(host: ComputeHost, ctxt: RequestContext, instance: Instance, port_id: str) -> Vif | None:
    """The interface as the server knows it, else (it came while this waited) as the network does."""
    known = (*instance.network_info, *host.network.interfaces(ctxt, instance))
    return next((vif for vif in known if vif.id == port_id), None)
