"""Judging what a client asks of the network service, with the client's own eyes: its token decides what is there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from nova_lite import exception
from nova_lite.context import RequestContext
from nova_lite.network import errors
from nova_lite.network.api import Requests, Wanted
from nova_lite.network.groups import Groups
from nova_lite.network.neutron import Json, Neutron, checked_id
from nova_lite.objects import NetworkRequest

_NETWORK_FIELDS = ("id", "name", "subnets", "shared", "tenant_id", "router:external", "port_security_enabled")
_PORT_FIELDS = ("id", "device_id", "fixed_ips", "network_id", "tenant_id", "binding:vif_type")


class Choice:
    """What a request comes to, or why it cannot be."""

    def __init__(self, neutron: Neutron, groups: Groups) -> None:
        self._neutron = neutron
        self._groups = groups

    def judge(self, ctxt: RequestContext, requests: Requests, groups: Sequence[str], count: int) -> Wanted:
        """See :meth:`nova_lite.network.api.API.validate`."""
        if not requests:
            return Wanted(())
        if any(request.port_id is None and request.network_id is None for request in requests):
            requests = self._available(ctxt, requests)
        for request in requests:
            if request.port_id is not None:
                self._check_port(ctxt, request.port_id, count)
        self._check_networks(ctxt, requests, count)
        self._check_quota(ctxt, sum(request.port_id is None for request in requests) * count)
        return Wanted(requests, self._groups.ids(ctxt, groups))

    # -- networks -------------------------------------------------------------------------------------

    def _available(self, ctxt: RequestContext, requests: Requests) -> Requests:
        """Nothing is named: the one network there is, or what the network service makes for the project."""
        found = self._networks(ctxt)
        if len(found) > 1:
            raise exception.NetworkAmbiguous()
        named = []
        for request in requests:
            if request.port_id is not None or request.network_id is not None:
                named.append(request)
            elif found:
                named.append(request.replace(network_id=found[0]["id"], auto=False))
            elif request.auto:
                named.append(request.replace(network_id=self._made_for(ctxt), auto=False))
        return tuple(named)

    def _networks(self, ctxt: RequestContext) -> list[Json]:
        """The networks that the project may use without naming them."""
        project = ctxt.project_id
        if not ctxt.is_admin:
            rows = self._neutron.list(ctxt, "networks", fields=_NETWORK_FIELDS)
            return [row for row in rows if row.get("tenant_id") == project or row.get("shared")]
        own = self._neutron.list(ctxt, "networks", fields=_NETWORK_FIELDS, tenant_id=project, shared=False)
        return own + self._neutron.list(ctxt, "networks", fields=_NETWORK_FIELDS, shared=True)

    def _made_for(self, ctxt: RequestContext) -> str:
        path = f"auto-allocated-topology/{ctxt.project_id}"
        try:
            return str(self._neutron.get(ctxt, path)["auto_allocated_topology"]["id"])
        except (errors.Gone, exception.Conflict):
            raise exception.Invalid(
                f"Unable to automatically allocate a network for project {ctxt.project_id}"
            ) from None

    def _check_networks(self, ctxt: RequestContext, requests: Requests, count: int) -> None:
        wanted = list(dict.fromkeys(request.network_id for request in requests if request.network_id))
        if not wanted:
            return
        found = {row["id"]: row for row in self._neutron.list(ctxt, "networks", id=wanted, fields=_NETWORK_FIELDS)}
        for ident in wanted:
            if ident not in found:
                raise exception.NetworkNotFound(network_id=ident)
            self._check_network(ctxt, found[ident])
        for request in requests:
            if request.network_id and request.fixed_ip:
                self._check_address(ctxt, request, count)

    def _check_network(self, ctxt: RequestContext, network: Json) -> None:
        if network.get("router:external") and not network.get("shared") and not ctxt.is_admin:
            raise exception.ExternalNetworkForbidden(network_id=network["id"])
        if not network.get("subnets"):
            raise exception.Invalid(f"Network {network['id']} requires a subnet in order to boot instances on.")

    def _check_address(self, ctxt: RequestContext, request: NetworkRequest, count: int) -> None:
        if count > 1:
            raise exception.Invalid("max_count cannot be greater than 1 if an fixed_ip is specified.")
        taken = self._neutron.list(
            ctxt, "ports", network_id=request.network_id, fixed_ips=f"ip_address={request.fixed_ip}", fields="id"
        )
        if taken:
            raise exception.FixedIpInUse(address=request.fixed_ip)

    # -- ports ----------------------------------------------------------------------------------------

    def _check_port(self, ctxt: RequestContext, port_id: str, count: int) -> None:
        if count > 1:
            raise exception.Invalid(
                "Unable to launch multiple instances with a single configured port ID. Please launch your instance one "
                "by one with different ports."
            )
        port = self.port(ctxt, port_id)
        if port.get("device_id"):
            raise exception.PortInUse(port_id=port_id)
        if not port.get("fixed_ips"):
            raise exception.Invalid(f"Port {port_id} requires a FixedIP in order to be used.")
        if not ctxt.is_admin and port.get("tenant_id") not in (None, ctxt.project_id):
            raise exception.Invalid(f"Port {port_id} not usable for instance.")

    def port(self, ctxt: RequestContext, port_id: str) -> dict[str, Any]:
        """:raises PortNotFound: there is none that the caller sees."""
        path = f"ports/{checked_id(exception.PortNotFound, port_id=port_id)}"
        try:
            return dict(self._neutron.get(ctxt, path, fields=_PORT_FIELDS)["port"])
        except errors.Gone:
            raise exception.PortNotFound(port_id=port_id) from None

    def _check_quota(self, ctxt: RequestContext, more: int) -> None:
        """Whether so many ports more are allowed; a network service that does not say decides when they are made."""
        if not more:
            return
        try:
            quota = self._neutron.get(ctxt, f"quotas/{ctxt.project_id}/details.json")["quota"]["port"]
        except (errors.Gone, exception.Forbidden, KeyError):
            return
        if 0 <= quota["limit"] < quota["used"] + more:
            raise exception.PortLimitExceeded()
