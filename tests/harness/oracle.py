"""The oracle: after a storm, do the journal, the books and the hypervisors agree? (ARCHITECTURE section 5, I1-I9)

``violations`` reads the database and the drivers and answers sentences; an empty list means the cloud is consistent.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from nova_lite.compute.power_states import PowerState
from nova_lite.compute.vm_states import VmState
from nova_lite.db.api import allocations, compute_nodes, instances, operations, quotas
from nova_lite.objects import OPEN_STATES, Instance, ServerSearch
from nova_lite.virt.fake import FakeDriver


def violations(drivers: Mapping[str, FakeDriver]) -> list[str]:
    """What is wrong, once nothing moves any more. ``drivers`` by host."""
    servers = instances.list(ServerSearch(project_id=None, limit=100_000))
    return [
        *_restless(servers),
        *_open_operations(servers),
        *_books(servers),
        *_guests(servers, drivers),
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
    expected = {(server.uuid, server.host) for server in servers if server.launched_at is not None}
    for uuid, host in claimed - {(server.uuid, server.host) for server in servers}:
        yield f"I5: a claim of {uuid} on {host} belongs to no server there"
    for uuid, host in expected - claimed:
        yield f"I5: server {uuid} on {host} holds no claim"


def _guests(servers: Iterable[Instance], drivers: Mapping[str, FakeDriver]) -> Iterable[str]:
    homes = {server.uuid: server for server in servers}
    running: dict[str, int] = {}
    for host, driver in drivers.items():
        for guest in driver.list_guests():
            running[guest.uuid] = running.get(guest.uuid, 0) + (guest.power_state == PowerState.RUNNING)
            server = homes.get(guest.uuid)
            if server is None or server.host != host:
                yield f"I5: guest {guest.uuid} on {host} is nobody's"
            elif guest.generation != server.generation:
                yield f"I8: guest {guest.uuid} is of generation {guest.generation}, its server of {server.generation}"
        for uuid in driver.disks:
            if uuid not in homes or homes[uuid].host != host:
                yield f"I5: disks of {uuid} on {host} are nobody's"
    for uuid, number in running.items():
        if number > 1:
            yield f"I3: server {uuid} runs {number} times"
    for server in homes.values():
        if server.vm_state == VmState.ACTIVE and server.host in drivers and not running.get(server.uuid):
            yield f"I3: server {server.uuid} is active and has no running guest"


def _quota() -> Iterable[str]:
    for mismatch in quotas.audit():
        yield f"I7: the books of a quota are wrong: {mismatch}"
