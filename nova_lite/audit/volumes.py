"""Servers, hypervisors and the volume service agree on who has which volume (I5).

Of others' attachments nothing is said, unless all that uses the volume service is this cloud (``strict``).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from nova_lite.audit.finding import Complaint, Repair, Rule
from nova_lite.audit.guests import present
from nova_lite.audit.world import Hold, World
from nova_lite.compute.vm_states import VmState
from nova_lite.objects import BlockDevice, Instance

# What a volume's status may be with and without attachments, once nothing moves.
_HELD, _FREE = ("in-use", "reserved"), ("available", "error")


def _devices(world: World) -> Iterator[tuple[Instance, BlockDevice]]:
    for server in world.servers.values():
        for device in server.block_devices:
            if device.is_volume:
                yield server, device


def _awaited(world: World, server: str | None, volume_id: str) -> bool:
    """Whether a request that is not accepted yet may have asked for the volume; who died in it lets go of it later."""
    return not world.strict and any(
        each.instance_uuid == server and each.volume_id in (None, volume_id) for each in world.reservations
    )


def _dead(world: World) -> Iterable[Complaint]:
    for each in world.reservations:
        if each.is_due or world.strict:
            what = "what it needs" if each.volume_id is None else f"volume {each.volume_id}"
            sentence = f"a request that was never accepted has asked {what} for server {each.instance_uuid}"
            yield Complaint("reservation", str(each.ident), sentence, each.instance_uuid)


def _forgotten(world: World) -> Iterable[Complaint]:
    for hold in world.holds or ():
        if hold.server in world.servers or hold.server is None:
            continue
        proof = hold.server in world.gone
        if proof or world.strict:
            sentence = f"volume {hold.volume_id} is held for server {hold.server}, which is gone"
            repair = Repair.GIVE_VOLUME_BACK if proof else None
            yield Complaint("attachment", hold.id, sentence, hold.server, repair=repair)


def _unknown(world: World) -> Iterable[Complaint]:
    known = {device.attachment_id for _, device in _devices(world)}
    for hold in world.holds or ():
        if hold.server in world.servers and hold.id not in known and not _awaited(world, hold.server, hold.volume_id):
            sentence = f"volume {hold.volume_id} is held for server {hold.server}, which does not know"
            yield Complaint("attachment", hold.id, sentence, hold.server)


def _unheld(world: World) -> Iterable[Complaint]:
    if world.holds is None:
        return
    held = {hold.id for hold in world.holds}
    for server, device in _devices(world):
        if server.vm_state != VmState.ERROR and device.attachment_id not in held:
            sentence = f"server {server.uuid} has volume {device.volume_id} without holding it"
            yield Complaint("volume", str(device.volume_id), sentence, server.uuid, server.host)


def _connections(world: World) -> Iterable[Complaint]:
    held: dict[str | None, Hold] = {hold.id: hold for hold in world.holds or ()}
    for server, device in _devices(world):
        hold = held.get(device.attachment_id)
        # A server on no host takes a volume in use without connecting it.
        if hold is not None and server.host is not None and hold.is_attached != bool(device.connection):
            sentence = f"volume {device.volume_id} is {hold.status}, but server {server.uuid} thinks otherwise"
            yield Complaint("volume", str(device.volume_id), sentence, server.uuid, server.host)


def _plugged(world: World) -> Iterable[Complaint]:
    for host, guest in present(world):
        server = world.servers.get(guest.uuid)
        if server is None or server.host != host or server.vm_state == VmState.ERROR or guest.volumes is None:
            continue
        connected = {str(device.volume_id) for device in server.block_devices if device.connection}
        if set(guest.volumes) != connected:
            have, want = sorted(guest.volumes), sorted(connected)
            sentence = f"guest {guest.uuid} on {host} has volumes {have}, its server {want}"
            yield Complaint("guest", guest.uuid, sentence, guest.uuid, host)


def _places(world: World) -> Iterable[Complaint]:
    for server, device in _devices(world):
        if server.host is None or server.vm_state == VmState.ERROR or not device.connection:
            continue
        if device.host != server.host:
            sentence = f"server {server.uuid} on {server.host} has volume {device.volume_id} connected to {device.host}"
            yield Complaint("volume", str(device.volume_id), sentence, server.uuid, server.host)


def _statuses(world: World) -> Iterable[Complaint]:
    if world.volumes is None or world.holds is None:
        return
    holders = {hold.volume_id: hold.server for hold in world.holds}
    for volume_id, status in world.volumes.items():
        is_held = volume_id in holders
        holder = holders.get(volume_id)
        if not world.strict and (holder not in world.servers or _awaited(world, holder, volume_id)):
            continue
        if status not in (_HELD if is_held else _FREE):
            sentence = f"volume {volume_id} is {status}, {'held' if is_held else 'and nobody holds it'}"
            yield Complaint("volume", volume_id, sentence, holder)


_CINDER = "see the volume's attachments: `openstack volume attachment list`"
_ANEW = "shelve, offload and unshelve the server: it connects its volumes anew"
RULES = (
    Rule("reservation-ends", "I5", "see whether the volume service answers the conductors", _dead),
    Rule("hold-has-server", "I5", _CINDER, _forgotten),
    Rule("hold-is-known", "I5", f"{_CINDER}; delete the one that the server does not know", _unknown),
    Rule("volume-is-held", "I5", "detach the volume from the server and attach it again", _unheld),
    Rule("connection-is-known", "I5", _ANEW, _connections),
    Rule("guest-has-volumes", "I5", "hard reboot the server: it gets the disks that it should have", _plugged),
    Rule("connection-is-at-home", "I5", _ANEW, _places),
    Rule("volume-status-fits", "I5", _CINDER, _statuses),
)
