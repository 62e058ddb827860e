"""The oracle: after a storm, do the journal, the books and the hypervisors agree? (ARCHITECTURE section 5, I1-I9)

``violations`` reads the database and the drivers and answers sentences; an empty list means the cloud is consistent.
"""

from __future__ import annotations

import collections
from collections.abc import Iterable, Mapping

from nova_lite.compute import actions
from nova_lite.compute.power_states import PowerState
from nova_lite.compute.vm_states import VmState
from nova_lite.db.api import (
    allocations,
    compute_nodes,
    instances,
    migrations,
    operations,
    provisional_images,
    quotas,
    server_groups,
)
from nova_lite.objects import (
    OPEN_STATES,
    GroupPolicy,
    ImageMeta,
    Instance,
    MigrationStatus,
    OperationState,
    ServerSearch,
)
from nova_lite.objects.server_group import MOST_PER_HOST
from nova_lite.virt.fake import FakeDriver


def violations(drivers: Mapping[str, FakeDriver], images: Mapping[str, ImageMeta] | None = None) -> list[str]:
    """What is wrong, once nothing moves any more. ``drivers`` by host, ``images`` all there are by id."""
    servers = instances.list(ServerSearch(project_id=None, limit=100_000))
    return [
        *_restless(servers),
        *_open_operations(servers),
        *_books(servers),
        *_moves(servers),
        *_guests(servers, drivers),
        *_shelf(servers),
        *_images(servers, images or {}),
        *_groups(),
        *_quota(),
    ]


def _restless(servers: Iterable[Instance]) -> Iterable[str]:
    for server in servers:
        if server.task_state is not None or server.vm_state == VmState.BUILDING:
            yield f"I1: server {server.uuid} rests in {server.vm_state}/{server.task_state}"
        if server.vm_state == VmState.ERROR and server.fault is None:
            yield f"I2: server {server.uuid} is in error and says no reason"


def _open_operations(servers: Iterable[Instance]) -> Iterable[str]:
    for server in servers:
        for operation in operations.list_for_instance(server.uuid):
            if operation.state not in OPEN_STATES and actions.ADMIN_PASSWORD in operation.args:
                yield f"I9: operation {operation.id} ({operation.action}) ended and keeps a password"
            if operation.state in OPEN_STATES:
                yield f"I2: operation {operation.id} ({operation.action} of {server.uuid}) is {operation.state}"
            full = operations.get_by_request_id(server.uuid, operation.request_id)
            if any(event.finish_time is None for event in full.events):
                yield f"I9: operation {operation.id} has an event without an end"


def _books(servers: Iterable[Instance]) -> Iterable[str]:
    for mismatch in allocations.audit():
        yield f"I4: the books of a node are wrong: {mismatch}"
    hosts = {node.uuid: node.host for node in compute_nodes.list_all()}
    claimed = {(claim.instance_uuid, hosts.get(claim.node_uuid)) for claim in allocations.list()}
    # A build that failed for want of any host holds nothing; one that failed on its last host was released too.
    moving = {(move.uuid, move.source_compute) for move in migrations.list({}) if move.is_open}
    expected = moving | {
        (server.uuid, server.host) for server in servers
        if server.launched_at is not None and server.vm_state != VmState.SHELVED_OFFLOADED
    }  # fmt: skip
    for uuid, host in claimed - {(server.uuid, server.host) for server in servers} - moving:
        yield f"I5: a claim of {uuid} on {host} belongs to no server there, and to no move from there"
    for uuid, host in expected - claimed:
        yield f"I5: server or move {uuid} on {host} holds no claim"


def _moves(servers: Iterable[Instance]) -> Iterable[str]:
    """A move is under way, or over, or waits with its server for a word of the user."""
    waiting = {server.uuid for server in servers if server.vm_state == VmState.RESIZED}
    for move in migrations.list({}):
        if not move.is_open:
            continue
        if move.status != MigrationStatus.FINISHED or move.instance_uuid not in waiting:
            yield f"I2: move {move.id} of {move.instance_uuid} is {move.status}"
        waiting.discard(move.instance_uuid)
    for uuid in waiting:
        yield f"I2: server {uuid} waits for the confirmation of no move"


def _failed_to_leave(server: Instance, generation: int | None) -> bool:
    """An evacuation on which a host died raised the generation above what that host may have left."""
    return server.vm_state == VmState.ERROR and generation is not None and generation < server.generation


def _guests(servers: Iterable[Instance], drivers: Mapping[str, FakeDriver]) -> Iterable[str]:
    homes = {server.uuid: server for server in servers}
    running: dict[str, int] = {}
    sources = {(move.instance_uuid, move.source_compute) for move in migrations.list({}) if move.is_open}
    for host, driver in drivers.items():
        for guest in driver.list_guests():
            running[guest.uuid] = running.get(guest.uuid, 0) + (guest.power_state == PowerState.RUNNING)
            server = homes.get(guest.uuid)
            if server is None or server.host != host:
                yield f"I5: guest {guest.uuid} on {host} is nobody's"
            elif server.vm_state != VmState.ERROR and (
                bool(driver.guests[guest.uuid].rescue_image) != (server.vm_state == VmState.RESCUED)
            ):
                yield f"I3: guest {guest.uuid} on {host} runs from a wrong disk: its server is {server.vm_state}"
            elif guest.generation != server.generation and not _failed_to_leave(server, guest.generation):
                yield f"I8: guest {guest.uuid} is of generation {guest.generation}, its server of {server.generation}"
        for uuid in driver.list_disks():
            if uuid not in homes or (homes[uuid].host != host and (uuid, host) not in sources):
                yield f"I5: disks of {uuid} on {host} are nobody's"
        for uuid in driver.incoming:
            yield f"I5: {host} expects guest {uuid}, which nobody sends"
    for uuid, number in running.items():
        if number > 1:
            yield f"I3: server {uuid} runs {number} times"
    for server in homes.values():
        if server.vm_state == VmState.ACTIVE and server.host in drivers and not running.get(server.uuid):
            yield f"I3: server {server.uuid} is active and has no running guest"


def _shelf(servers: Iterable[Instance]) -> Iterable[str]:
    for server in servers:
        if server.vm_state == VmState.SHELVED_OFFLOADED and server.host is not None:
            yield f"I5: server {server.uuid} is off its host and has host {server.host}"
        on_it = server.vm_state in (VmState.SHELVED, VmState.SHELVED_OFFLOADED)
        if not on_it and "shelved_at" in server.system_metadata:
            yield f"I5: server {server.uuid} is {server.vm_state} and remembers its shelf"


def _images(servers: Iterable[Instance], images: Mapping[str, ImageMeta]) -> Iterable[str]:
    """Images that servers were put into belong to an operation that went well, and have their data."""
    ripe = {image.image_id for image in provisional_images.due()}
    # A request that died before it was accepted: its image goes some minutes later.
    awaited = {
        image.image_id for image in provisional_images.list_all()
        if image.operation_id is None and image.image_id not in ripe
    }  # fmt: skip
    for promised in provisional_images.list_all():
        if promised.image_id not in awaited:
            yield f"I6: image {promised.image_id} of server {promised.instance_uuid} is still provisional"
    shelved = {server.system_metadata.get("shelved_image_id") for server in servers} - {None}
    for lost in shelved - images.keys() if images else ():
        yield f"I6: the shelved image {lost} is gone"
    for image in images.values():
        server = image.properties.get("instance_uuid")
        if server is None or image.id in awaited:
            continue
        made_by = [each for each in operations.list_for_instance(server) if each.args.get("image_id") == image.id]
        kept = [each for each in made_by if each.state == OperationState.DONE and each.action != "shelve"]
        if image.status != "active" or not (kept or image.id in shelved):
            yield f"I6: image {image.id} ({image.name}, {image.status}) is left over"


def _groups() -> Iterable[str]:
    """The policy of each group, by where its members' claims are."""
    hosts = {node.uuid: node.host for node in compute_nodes.list_all()}
    homes: dict[str, set[str]] = {}
    for claim in allocations.list():
        homes.setdefault(claim.instance_uuid, set()).add(hosts.get(claim.node_uuid, ""))
    for group in server_groups.list(None, 100_000):
        where = collections.Counter(host for uuid in group.members for host in homes.get(uuid, ()))
        most = group.rules.get(MOST_PER_HOST, 1)
        if group.policy == GroupPolicy.ANTI_AFFINITY and max(where.values(), default=0) > most:
            yield f"I4: group {group.uuid} allows {most} member(s) a host and has {dict(where)}"
        if group.policy == GroupPolicy.AFFINITY and len(where) > 1:
            yield f"I4: group {group.uuid} wants its members together and has {dict(where)}"


def _quota() -> Iterable[str]:
    for mismatch in quotas.audit():
        yield f"I7: the books of a quota are wrong: {mismatch}"
