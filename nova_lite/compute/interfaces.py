"""A guest gets one interface more, or one less."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, TypeVar

from nova_lite import exception
from nova_lite.compute import actions, outcome, plugs, steps
from nova_lite.compute.host import ComputeHost
from nova_lite.context import RequestContext
from nova_lite.objects import Instance, NetworkRequest, Operation, Vif

LOG = logging.getLogger(__name__)

T = TypeVar("T")


def attach(host: ComputeHost, ctxt: RequestContext, operation: Operation, instance: Instance) -> None:
    """Port first, then guest; when the guest refuses, or somebody overtook this worker, the port goes again.

    An attach of which nothing can be undone just now is tried again as a whole: a port must not be forgotten.

    :raises StaleWrite: overtaken.
    """
    try:
        outcome.require(host, actions.ATTACH_INTERFACE)
        _attach(host, ctxt, operation, instance)
    except exception.ServiceStopping:
        raise
    except Exception as error:
        is_undone = _undo(host, ctxt, operation, instance)
        if isinstance(error, exception.StaleWrite):
            raise
        if is_undone:
            outcome.fail(host, ctxt, operation, instance, error)
        else:
            outcome.try_later(host, ctxt, operation, "Attaching an interface", error)


def _attach(host: ComputeHost, ctxt: RequestContext, operation: Operation, instance: Instance) -> None:
    vif = host.network.attach(ctxt, instance, _request(operation), _key(operation))
    host.conductor.progress(ctxt, operation.id, operation.attempt, actions.PORT_STEP + vif.id, {})
    plugs.attach_interface(host, instance, vif)
    power_state = host.driver.power_state(instance)
    host.conductor.finish_operation(ctxt, operation.id, operation.attempt, power_state, {"network_info": (vif,)})


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
