"""Local disks are a function of servers, and of moves that may still come back, both ways (I5)."""

from __future__ import annotations

from collections.abc import Iterable

from nova_lite.audit.finding import Complaint, Repair, Rule
from nova_lite.audit.guests import present
from nova_lite.audit.world import World
from nova_lite.compute import actions
from nova_lite.compute.vm_states import VmState
from nova_lite.objects import Migration

_ON_NO_HOST = (VmState.BUILDING, VmState.SHELVED_OFFLOADED)
_WITHOUT = (VmState.BUILDING, VmState.ERROR, VmState.SHELVED_OFFLOADED)


def _left(world: World) -> Iterable[Complaint]:
    in_error = {server.uuid for server in world.servers.values() if server.vm_state == VmState.ERROR}
    sources = {
        (move.instance_uuid, move.source_compute)
        for move in world.moves
        if move.is_open or move.instance_uuid in in_error
    }
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


def _set_aside(world: World) -> Iterable[Complaint]:
    """A guest that is off is a guest; what a cold move set aside is none, and nothing starts it."""
    whole = {presence.uuid for _, presence in present(world) if presence.has_guest}
    for move in world.moves:
        server = world.servers.get(move.instance_uuid)
        if move.is_open or server is None or server.uuid in whole or server.vm_state in _ON_NO_HOST:
            continue
        heard = {server.host, move.source_compute, move.dest_compute or move.source_compute} <= world.hosts.keys()
        if heard and not _is_rebuilt(world, move):
            since = f"since its move from {move.source_compute} was given up"
            sentence = f"server {server.uuid} has a guest nowhere {since}"
            yield Complaint("server", server.uuid, sentence, server.uuid, server.host)


def _is_rebuilt(world: World, move: Migration) -> bool:
    """Whether its disks were made anew since: then it lacks them for another reason."""
    return any(
        each.instance_uuid == move.instance_uuid and each.id > (move.operation_id or 0)
        for each in world.operations
        if each.action == actions.REBUILD.name
    )


def _beside(world: World) -> Iterable[Complaint]:
    """What a move set aside on its server's own host, while the server has its disks there, and no move may return."""
    waiting = {(move.instance_uuid, move.source_compute) for move in world.open_moves}
    for host, presence in present(world):
        server = world.servers.get(presence.uuid)
        if not presence.is_set_aside or server is None or server.host != host or (server.uuid, host) in waiting:
            continue
        is_well = presence.has_guest and presence.generation == server.generation and server.vm_state != VmState.ERROR
        sentence = f"disks of {server.uuid} that a move set aside on {host} are nobody's"
        yield Complaint("disks", server.uuid, sentence, server.uuid, host, Repair.LOOK_AROUND if is_well else None)


RULES = (
    Rule("disks-have-server", "I5", "it is never touched without proof: see whose they are", _left),
    Rule("server-has-disks", "I5", "rebuild the server, or restore its disks by hand", _missing),
    Rule("no-disks-set-aside", "I5", "it may be the only whole copy: see that the guest's own disks are well", _beside),
    Rule("moved-server-has-guest", "I8", "look for its disks by hand before anything else is done to it", _set_aside),
)
