"""Interfaces of a server: list, show, attach, detach."""

from __future__ import annotations

from typing import Any

from nova_lite import exception
from nova_lite.api.openstack.compute.schemas import attach_interfaces as schemas
from nova_lite.api.openstack.compute.views.attach_interfaces import interface
from nova_lite.api.openstack.request import Request
from nova_lite.api.openstack.validation import validated
from nova_lite.compute.api import API
from nova_lite.objects import Instance, NetworkRequest


class AttachInterfacesController:
    def __init__(self, compute: API) -> None:
        self._interfaces = compute.interfaces

    def index(self, req: Request, server: Instance) -> dict[str, Any]:
        vifs = self._interfaces.all(req.ctxt, server)
        return {"interfaceAttachments": [interface(vif, req.version) for vif in vifs]}

    def show(self, req: Request, server: Instance, id: str) -> dict[str, Any]:
        return {"interfaceAttachment": interface(self._interfaces.get(req.ctxt, server, id), req.version)}

    @validated(body=schemas.CREATE)
    def create(self, req: Request, server: Instance) -> dict[str, Any]:
        request = _request(req.body.get("interfaceAttachment", {}))
        vif = self._interfaces.attach(req.ctxt, server, request)
        return {"interfaceAttachment": interface(vif, req.version)}

    def delete(self, req: Request, server: Instance, id: str) -> None:
        self._interfaces.detach(req.ctxt, server, id)


def _request(asked: dict[str, Any]) -> NetworkRequest:
    """
    :raises Invalid: a network and a port, or an address of no network
    """
    network, port, addresses = asked.get("net_id"), asked.get("port_id"), asked.get("fixed_ips")
    if network and port:
        raise exception.Invalid("Must not input both network_id and port_id")
    if addresses and not network:
        raise exception.Invalid("Must input network_id when request IP address")
    address = addresses[0]["ip_address"] if addresses else None
    return NetworkRequest(network_id=network, port_id=port, fixed_ip=address, tag=asked.get("tag"))
