"""Local disks are a function of servers, and of moves that may still come back, both ways (I5)."""

from __future__ import annotations

from collections.abc import Iterable

from nova_lite.audit.finding import Complaint, Repair, Rule
from nova_lite.audit.guests import present
from nova_lite.audit.world import World
from nova_lite.compute.vm_states import VmState

_WITHOUT = (VmState.BUILDING, VmState.ERROR, VmState.SHELVED_OFFLOADED)


def _left(world: World) -> Iterable[Complaint]:
    sources = {(move.instance_uuid, move.source_compute) for move in world.open_moves}
    for host, presence in present(world):
        server = world.servers.get(presence.uuid)
        at_home = server is not None and server.host == host
        if not presence.has_disks or at_home or (server is not None and (presence.uuid, host) in sources):
            continue
        # Without a guest disks have no mark; the host itself judges them, under the server's lock.
        proof = presence.uuid in world.gone or (server is not None and not presence.has_guest)
        sentence = f"disks of {presence.uuid} on {host} are nobody's"
        yield Complaint("disks", presence.uuid, sentence, presence.uuid, host, Repair.LOOK_AROUND if proof else None)


def _missing(world: World) -> Iterable[Complaint]:
    there = {(presence.uuid, host) for host, presence in present(world) if presence.has_disks}
    for server in world.servers.values():
        if server.host not in world.hosts or server.launched_at is None or server.vm_state in _WITHOUT:
            continue
        if (server.uuid, server.host) not in there:
            sentence = f"server {server.uuid} has no disks on {server.host}"
            yield Complaint("disks", server.uuid, sentence, server.uuid, server.host)


RULES = (
    Rule("disks-have-server", "I5", "it is never touched without proof: see whose they are", _left),
    Rule("server-has-disks", "I5", "rebuild the server, or restore its disks by hand", _missing),
)
