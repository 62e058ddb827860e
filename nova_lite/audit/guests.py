"""Guests: one a server, on its host, of its generation (I3, I5, I6, I8). A host that is not heard says nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from nova_lite.audit.finding import Complaint, Repair, Rule
from nova_lite.audit.world import World
from nova_lite.compute.power_states import PowerState
from nova_lite.compute.vm_states import VmState
from nova_lite.objects import Instance, Presence


def present(world: World) -> Iterator[tuple[str, Presence]]:
    """Everything that any host has."""
    for host, presences in world.hosts.items():
        for presence in presences:
            yield host, presence


def _guests(world: World) -> Iterator[tuple[str, Presence]]:
    return ((host, presence) for host, presence in present(world) if presence.has_guest)


def _at_home(world: World) -> Iterator[tuple[Instance, Presence]]:
    """Guests on the hosts of their servers."""
    for host, guest in _guests(world):
        server = world.servers.get(guest.uuid)
        if server is not None and server.host == host:
            yield server, guest


def _failed_to_leave(server: Instance, generation: int | None) -> bool:
    """An evacuation on which a host died raised the generation above what that host may have left."""
    return server.vm_state == VmState.ERROR and generation is not None and generation < server.generation


def _undead(world: World) -> Iterable[Complaint]:
    for host, guest in _guests(world):
        if guest.uuid in world.gone:
            proof = Repair.LOOK_AROUND if guest.generation is not None else None
            sentence = f"guest {guest.uuid} on {host} is there, and its server is deleted"
            yield Complaint("guest", guest.uuid, sentence, guest.uuid, host, proof)


def _strays(world: World) -> Iterable[Complaint]:
    for host, guest in _guests(world):
        server = world.servers.get(guest.uuid)
        if server is not None and server.host != host:
            stale = guest.generation is not None and guest.generation < server.generation
            sentence = f"guest {guest.uuid} on {host} is nobody's: its server is on {server.host}"
            yield Complaint("guest", guest.uuid, sentence, guest.uuid, host, Repair.LOOK_AROUND if stale else None)


def _strangers(world: World) -> Iterable[Complaint]:
    for host, guest in _guests(world):
        if guest.uuid not in world.servers and guest.uuid not in world.gone:
            sentence = f"guest {guest.uuid} on {host} is nobody's: no server of that id is known"
            yield Complaint("guest", guest.uuid, sentence, guest.uuid, host)


def _rescued(world: World) -> Iterable[Complaint]:
    for server, guest in _at_home(world):
        expected = server.vm_state == VmState.RESCUED
        if server.vm_state != VmState.ERROR and guest.rescued is not None and guest.rescued != expected:
            sentence = f"guest {guest.uuid} on {server.host} runs from a wrong disk: its server is {server.vm_state}"
            yield Complaint("guest", guest.uuid, sentence, guest.uuid, server.host)


def _generations(world: World) -> Iterable[Complaint]:
    for server, guest in _at_home(world):
        if guest.generation != server.generation and not _failed_to_leave(server, guest.generation):
            older = guest.generation is not None and guest.generation > server.generation
            why = ": the database is older than the guest" if older else ""
            sentence = f"guest {guest.uuid} is of generation {guest.generation}, its server of {server.generation}{why}"
            yield Complaint("guest", guest.uuid, sentence, guest.uuid, server.host)


def _twice(world: World) -> Iterable[Complaint]:
    running: dict[str, list[str]] = {}
    for host, guest in _guests(world):
        if guest.power_state == PowerState.RUNNING:
            running.setdefault(guest.uuid, []).append(host)
    for uuid, hosts in running.items():
        if len(hosts) > 1:
            yield Complaint("server", uuid, f"server {uuid} runs {len(hosts)} times: {', '.join(sorted(hosts))}", uuid)


def _absent(world: World) -> Iterable[Complaint]:
    running = {(guest.uuid, host) for host, guest in _guests(world) if guest.power_state == PowerState.RUNNING}
    for server in world.servers.values():
        heard = server.host in world.hosts
        if server.vm_state == VmState.ACTIVE and heard and (server.uuid, server.host) not in running:
            sentence = f"server {server.uuid} is active and has no running guest"
            yield Complaint("server", server.uuid, sentence, server.uuid, server.host)


def _expected(world: World) -> Iterable[Complaint]:
    for host, presence in present(world):
        if presence.is_expected:
            sentence = f"{host} expects guest {presence.uuid}, which nobody sends"
            yield Complaint("guest", presence.uuid, sentence, presence.uuid, host)


_OLD = "was an older database restored? Do not restart that host before it is known"
_BY_HAND = "it is never touched without proof: see whose it is, and `nova-lite-manage quarantine list`"
RULES = (
    Rule("server-runs-once", "I3", "stop the guest on the host that the server is not on", _twice),
    Rule("active-server-runs", "I3", "hard reboot the server", _absent),
    Rule("guest-has-its-disk", "I3", "unrescue the server, or hard reboot it", _rescued),
    Rule("guest-has-server", "I5", _BY_HAND, _strangers),
    Rule("guest-is-at-home", "I5", _BY_HAND, _strays),
    Rule("expected-guest-comes", "I5", "restart the host's compute service", _expected),
    Rule("deleted-guest-is-gone", "I6", _BY_HAND, _undead),
    Rule("guest-has-generation", "I8", _OLD, _generations),
)
