"""What servers hold of hypervisors: not more than there is (I4), a function of servers and moves both ways (I5)."""

from __future__ import annotations

from collections.abc import Iterable

from nova_lite.audit.finding import Complaint, Repair, Rule
from nova_lite.audit.world import World
from nova_lite.compute.vm_states import VmState


def _books(world: World) -> Iterable[Complaint]:
    hosts = world.node_hosts
    for wrong in world.books:
        host = hosts.get(wrong.node_uuid)
        facts = f"recorded {wrong.recorded}, claimed {wrong.actual}, capacity {wrong.capacity}"
        sentence = f"the books of node {wrong.node_uuid} are wrong: {facts}"
        repair = Repair.REBOOK_NODE if wrong.recorded != wrong.actual else None
        yield Complaint("node", wrong.node_uuid, sentence, None, host, repair)


def _orphans(world: World) -> Iterable[Complaint]:
    hosts = world.node_hosts
    moves = {move.uuid: move for move in world.open_moves}
    for claim in world.claims:
        host, server = hosts.get(claim.node_uuid), world.servers.get(claim.instance_uuid)
        move = moves.get(claim.instance_uuid)
        if (server is not None and server.host == host) or (move is not None and move.source_compute == host):
            continue
        whose = move.instance_uuid if move is not None else claim.instance_uuid
        # Nobody who could be there: neither a live server nor a move under way, wherever.
        repair = Repair.RELEASE_CLAIM if server is None and move is None and whose not in world.touched else None
        sentence = f"a claim of {claim.instance_uuid} on {host} belongs to no server there, and to no move from there"
        yield Complaint("claim", claim.instance_uuid, sentence, whose, host, repair)


def _missing(world: World) -> Iterable[Complaint]:
    hosts = world.node_hosts
    claimed = {(claim.instance_uuid, hosts.get(claim.node_uuid)) for claim in world.claims}
    # A build that failed for want of any host holds nothing; one that failed on its last host was released too, and
    # what an administrator declared to be in error on its way from the shelf.
    expected = {
        (server.uuid, server.host): server.uuid for server in world.servers.values()
        if server.launched_at is not None and server.vm_state != VmState.SHELVED_OFFLOADED
        and (server.vm_state != VmState.ERROR or server.host is not None)
    }  # fmt: skip
    expected |= {(move.uuid, move.source_compute): move.instance_uuid for move in world.open_moves}
    for (consumer, host), server in expected.items():
        if (consumer, host) not in claimed:
            sentence = f"server or move {consumer} on {host} holds no claim"
            yield Complaint("claim", consumer, sentence, server, host)


def _sizes(world: World) -> Iterable[Complaint]:
    hosts = world.node_hosts
    for claim in world.claims:
        server = world.servers.get(claim.instance_uuid)
        if server is None or server.host != hosts.get(claim.node_uuid) or server.launched_at is None:
            continue
        size = (server.flavor.vcpus, server.flavor.memory_mb, server.disk_gb)
        held = (claim.vcpus, claim.memory_mb, claim.disk_gb)
        if size != held:
            sentence = f"server {server.uuid} has size {size} and holds {held} of {server.host}"
            yield Complaint("claim", server.uuid, sentence, server.uuid, server.host)


_BY_HAND = "restart the conductor, which looks for orphans; if it stays, report it as a defect"
RULES = (
    Rule("books-are-right", "I4", "the host is overcommitted: move servers away or raise its ratios", _books, True),
    Rule("claim-has-owner", "I5", _BY_HAND, _orphans),
    Rule("owner-has-claim", "I5", "cold or live migrate the server: its new host books it", _missing),
    Rule("claim-fits", "I5", "cold or live migrate the server: its new host books it", _sizes),
)
