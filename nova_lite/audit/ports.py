"""Ports are a function of live servers, both ways (I5). Of ports that others made for others nothing is said.

Anybody may write any server's id on a port of their own, and a server has ports of its own project only: of a port that
names another project's server nothing is said either.
"""

from __future__ import annotations

from collections.abc import Iterable

from nova_lite.audit.finding import Complaint, Repair, Rule
from nova_lite.audit.world import World
from nova_lite.objects import Instance, Port


def _orphans(world: World) -> Iterable[Complaint]:
    for port in world.ports or ():
        if port.server in world.servers or not (port.is_made or port.is_plugged):
            continue
        former = world.gone.get(port.server)
        if former is not None and not _is_its(port, former):
            continue
        gone = former is not None
        if gone or port.is_made or world.strict:
            sentence = f"port {port.id} of server {port.server!r} is nobody's"
            repair = Repair.GIVE_PORT_BACK if gone else None
            yield Complaint("port", port.id, sentence, port.server or None, port.host, repair)


def _unknown(world: World) -> Iterable[Complaint]:
    for port in world.ports or ():
        server = world.servers.get(port.server)
        if server is not None and _is_its(port, server) and all(vif.id != port.id for vif in server.network_info):
            sentence = f"server {server.uuid} does not know its port {port.id}"
            yield Complaint("port", port.id, sentence, server.uuid, port.host)


def _bindings(world: World) -> Iterable[Complaint]:
    for port in world.ports or ():
        server = world.servers.get(port.server)
        if server is not None and any(vif.id == port.id for vif in server.network_info) and port.host != server.host:
            sentence = f"port {port.id} is bound to {port.host!r}, its server is on {server.host}"
            yield Complaint("port", port.id, sentence, server.uuid, port.host)


def _cards(world: World) -> Iterable[Complaint]:
    if world.ports is None:
        return
    owned = {(port.id, port.server) for port in world.ports}
    for server in world.servers.values():
        for vif in server.network_info:
            if (vif.id, server.uuid) not in owned:
                sentence = f"server {server.uuid} has an interface {vif.id} that is no port of its own"
                yield Complaint("port", vif.id, sentence, server.uuid, server.host)


def _is_its(port: Port, server: Instance) -> bool:
    """Can the port be the server's? Giving ports back looks for ports of the server's project, too."""
    return port.project in (None, server.project_id)


RULES = (
    Rule("port-has-server", "I5", "delete the port if nobody wants it", _orphans),
    Rule("port-is-known", "I5", "detach the port from the server, or attach it again", _unknown),
    Rule("port-is-at-home", "I5", "shelve, offload and unshelve the server: it takes its ports to its host", _bindings),
    Rule("interface-has-port", "I5", "detach the interface from the server, or delete the server", _cards),
)
