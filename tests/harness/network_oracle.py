"""The oracle of interfaces: ports are a function of live servers, both ways (ARCHITECTURE section 5, I5)."""

from __future__ import annotations

from collections.abc import Iterable

from nova_lite.db.api import instances
from nova_lite.network.vifs import is_made
from nova_lite.objects import Instance, ServerSearch
from tests.harness.networks import Networks


def violations(networks: Networks) -> list[str]:
    """What is wrong, once nothing moves any more."""
    servers = {each.uuid: each for each in instances.list(ServerSearch(project_id=None, limit=100_000))}
    return [*_ports(networks, servers), *_interfaces(networks, servers)]


def _ports(networks: Networks, servers: dict[str, Instance]) -> Iterable[str]:
    for port in networks.store.all("port"):
        ident, server = port["id"], servers.get(port["device_id"])
        if server is None:
            if is_made(port) or port["device_owner"].startswith("compute:"):
                yield f"I5: port {ident} of server {port['device_id']!r} is nobody's"
        elif all(vif.id != ident for vif in server.network_info):
            yield f"I5: server {server.uuid} does not know its port {ident}"
        elif (port["binding:host_id"] or None) != server.host:
            yield f"I5: port {ident} is bound to {port['binding:host_id']!r}, its server is on {server.host}"


def _interfaces(networks: Networks, servers: dict[str, Instance]) -> Iterable[str]:
    for server in servers.values():
        for vif in server.network_info:
            port = networks.store.find("port", vif.id)
            if port is None or port["device_id"] != server.uuid:
                yield f"I5: server {server.uuid} has an interface {vif.id} that is no port of its own"
