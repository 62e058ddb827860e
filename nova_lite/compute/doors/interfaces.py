"""Interfaces of a server and their security groups: what is there, one more, one less."""

from __future__ import annotations

from typing import Any

from nova_lite import concurrency, exception
from nova_lite.clock import monotonic
from nova_lite.compute import acceptance, actions, network_events
from nova_lite.compute.doors.door import Door, check_host, check_lock
from nova_lite.context import RequestContext
from nova_lite.db.api import instances, operations
from nova_lite.objects import Instance, NetworkRequest, Operation, OperationState, Vif

# How long a client waits for its interface; the operation goes on for longer if need be.
_PATIENCE_S = 60.0
_FIRST_LOOK_S, _LONGEST_LOOK_S = 0.01, 0.5

_KINDS: dict[int, type[exception.NovaLiteError]] = {
    400: exception.Invalid, 403: exception.Forbidden, 404: exception.NotFound, 409: exception.Conflict,
    501: exception.NotSupported, 503: exception.Unavailable,
}  # fmt: skip


class InterfacesDoor(Door):
    """Attaching answers when it is done, as the client is told the address; the intent is written first even so."""

    def all(self, ctxt: RequestContext, instance: Instance) -> tuple[Vif, ...]:
        return self._network.interfaces(ctxt, instance)

    def get(self, ctxt: RequestContext, instance: Instance, port_id: str) -> Vif:
        """:raises NotFound: the server has no such port."""
        for vif in self.all(ctxt, instance):
            if vif.id == port_id:
                return vif
        raise exception.NotFound(f"Instance {instance.uuid} does not have a port with id {port_id}")

    def attach(self, ctxt: RequestContext, instance: Instance, request: NetworkRequest) -> Vif:
        """One interface more, on the guest when this returns.

        :raises InstanceIsLocked, InstanceInvalidState, InstanceNotReady: refused.
        :raises NetworkNotFound, PortNotFound, PortInUse, FixedIpInUse, PortLimitExceeded, Invalid: it cannot be had.
        :raises Unavailable: it takes too long, and may still come; or its host failed, and it is undone.
        """
        row = actions.ATTACH_INTERFACE
        check_lock(ctxt, instance, row)
        acceptance.check(row, instance)
        check_host(instance)
        try:
            wanted = self._network.validate(ctxt, (request,)).requests
        except exception.NetworkAmbiguous as error:
            raise exception.Invalid(error.message) from error
        if not wanted:
            raise exception.Invalid(
                f"No specific network was requested and none are available for project '{instance.project_id}'."
            )
        operation = self._await(self.accept(ctxt, instance, row, {"request": vars(wanted[0])}))
        return _attached(operation, instances.get(instance.uuid))

    def detach(self, ctxt: RequestContext, instance: Instance, port_id: str) -> None:
        """Accept to take an interface off.

        :raises InstanceIsLocked, InstanceInvalidState, InstanceNotReady: refused.
        :raises PortNotFound: the server has no such port.
        """
        row = actions.DETACH_INTERFACE
        check_lock(ctxt, instance, row)
        acceptance.check(row, instance)
        if all(vif.id != port_id for vif in instance.network_info):
            raise exception.PortNotFound(port_id=port_id)
        self.accept(ctxt, instance, row, {"port_id": port_id})

    # -- security groups ------------------------------------------------------------------------------

    def security_groups(self, ctxt: RequestContext, instance: Instance) -> list[dict[str, Any]]:
        """The groups of its interfaces with their rules, as the network service shows them."""
        return self._network.security_groups(ctxt, instance)

    def add_security_group(self, ctxt: RequestContext, instance: Instance, name: str) -> None:
        """:raises SecurityGroupNotFound, SecurityGroupAmbiguous, NotFound: no such group, or no interface."""
        self._network.add_security_group(ctxt, instance, name)
        network_events.changed(self._network, ctxt, instance)

    def remove_security_group(self, ctxt: RequestContext, instance: Instance, name: str) -> None:
        """:raises SecurityGroupNotFound, SecurityGroupAmbiguous: no such group, or not on this server."""
        self._network.remove_security_group(ctxt, instance, name)
        network_events.changed(self._network, ctxt, instance)

    # -- inside ---------------------------------------------------------------------------------------

    def _await(self, operation_id: int) -> Operation:
        end, pause_s = monotonic() + _PATIENCE_S, _FIRST_LOOK_S
        while True:
            operation = operations.get(operation_id)
            if operation.state in (OperationState.DONE, OperationState.FAILED):
                return operation
            if monotonic() > end:
                raise exception.Unavailable("The interface is still being attached.")
            concurrency.sleep(pause_s)
            pause_s = min(1.5 * pause_s, _LONGEST_LOOK_S)


def _attached(operation: Operation, instance: Instance) -> Vif:
    """The interface that came. :raises NovaLiteError: it did not; the kind and the words are the host's."""
    if operation.state is OperationState.FAILED:
        fault, message = instance.fault, operation.message or ""
        if fault is None or fault.message != message[:255]:  # it did not fail: something stronger came
            raise exception.Conflict(message)
        if fault.code in _KINDS:
            raise _KINDS[fault.code](message)
        # What the host could not do is undone, and may be asked for again: no error of this service's.
        raise exception.Unavailable(f"Failed to attach network adapter device to {instance.uuid}")
    port_id = operation.noted(actions.PORT_STEP)
    for vif in instance.network_info:
        if vif.id == port_id:
            return vif
    raise exception.PortNotFound(port_id=port_id)
