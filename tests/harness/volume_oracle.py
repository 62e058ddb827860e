"""The oracle's eye on volumes: do servers, hypervisors and the volume service agree on who has which?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from nova_lite.compute.vm_states import VmState
from nova_lite.db.api import instances
from nova_lite.objects import Instance, ServerSearch
from nova_lite.virt.fake import FakeDriver
from tests.harness.volumes import Volumes

# What a volume's status may be with and without attachments, once nothing moves.
_HELD, _FREE = ("in-use", "reserved"), ("available", "error")


def violations(drivers: Mapping[str, FakeDriver], volumes: Volumes) -> list[str]:
    """What is wrong, once nothing moves any more."""
    servers = {server.uuid: server for server in instances.list(ServerSearch(project_id=None, limit=100_000))}
    return [*_holds(servers, volumes), *_guests(servers, drivers), *_statuses(volumes)]


def _holds(servers: Mapping[str, Instance], volumes: Volumes) -> Iterable[str]:
    held = {}
    for row in volumes.rows("/attachments/detail", "attachments"):
        server = servers.get(row["instance"])
        held[row["id"]] = row
        if server is None:
            yield f"V1: volume {row['volume_id']} is held for server {row['instance']}, which is gone"
        elif row["id"] not in {device.attachment_id for device in server.block_devices}:
            yield f"V1: volume {row['volume_id']} is held for server {server.uuid}, which does not know"
    for server in servers.values():
        for device in server.block_devices:
            if device.is_volume and server.vm_state != VmState.ERROR and device.attachment_id not in held:
                yield f"V2: server {server.uuid} has volume {device.volume_id} without holding it"
            row = held.get(device.attachment_id or "")
            # A server on no host takes a volume in use without connecting it.
            nowhere = server.host is None
            if row is not None and not nowhere and (row["status"] == "attached") != bool(device.connection):
                yield f"V2: volume {device.volume_id} is {row['status']}, but server {server.uuid} thinks otherwise"


def _guests(servers: Mapping[str, Instance], drivers: Mapping[str, FakeDriver]) -> Iterable[str]:
    for host, driver in drivers.items():
        for guest in list(driver.guests.values()):
            server = servers.get(guest.uuid)
            if server is None or server.host != host or server.vm_state == VmState.ERROR:
                continue
            connected = {str(device.volume_id) for device in server.block_devices if device.connection}
            if set(guest.volumes) != connected:
                yield f"V3: guest {guest.uuid} on {host} has volumes {set(guest.volumes)}, its server {connected}"
            elsewhere = {device.host for device in server.block_devices if device.connection} - {host}
            if elsewhere:
                yield f"V3: server {server.uuid} on {host} has volumes connected to {elsewhere}"


def _statuses(volumes: Volumes) -> Iterable[str]:
    held = {row["volume_id"] for row in volumes.rows("/attachments", "attachments")}
    for row in volumes.rows("/volumes/detail", "volumes"):
        if row["status"] not in (_HELD if row["id"] in held else _FREE):
            yield f"V4: volume {row['id']} is {row['status']}, {'held' if row['id'] in held else 'and nobody holds it'}"
