"""A server's addresses, short: version and address only."""

from __future__ import annotations

from typing import Any

from nova_lite import exception
from nova_lite.api.openstack.request import Request
from nova_lite.objects import Instance


class AddressesController:
    def index(self, req: Request, server: Instance) -> dict[str, Any]:
        return {"addresses": _by_network(server)}

    def show(self, req: Request, server: Instance, id: str) -> dict[str, Any]:
        """
        :raises NotFound: the server is on no network of that name
        """
        found = _by_network(server)
        if id not in found:
            raise exception.NotFound("Instance is not a member of specified network")
        return {id: found[id]}


def _by_network(server: Instance) -> dict[str, list[dict[str, Any]]]:
    addresses: dict[str, list[dict[str, Any]]] = {}
    for vif in server.network_info:
        addresses.setdefault(vif.label, []).extend(
            {"addr": fixed_ip.address, "version": fixed_ip.version} for fixed_ip in vif.fixed_ips
        )
    return addresses
