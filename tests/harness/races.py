"""Many at once at one edge: what each backend must get right, written once."""

from __future__ import annotations

import json
import pathlib
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from nova_lite import exception
from nova_lite.compute.task_states import TaskState
from nova_lite.db.api import (
    aggregates,
    allocations,
    compute_nodes,
    idempotency,
    instances,
    keypairs,
    quotas,
    server_groups,
)
from nova_lite.db.session import retry_on_deadlock, writer
from nova_lite.objects import ComputeNode, KeyPair, ServerGroup
from nova_lite.objects.server_group import MOST_PER_HOST
from nova_lite.scheduler.database import DatabasePlanner
from nova_lite.scheduler.host_state import make
from tests.harness.builders import make_flavor, make_node, make_spec, uuid_of
from tests.harness.database import make_instance

RUNNERS = 16


def green_races(url: str) -> dict[str, Any]:
    """All races again in a process of green threads; what :mod:`tests.harness.green_races` prints."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.harness.green_races", url],
        capture_output=True, text=True, timeout=100, cwd=pathlib.Path(__file__).parents[2],
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-5000:]
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def at_once(work: Callable[[int], Any], count: int = RUNNERS) -> Counter[str]:
    """Run work(0) .. work(count - 1) in threads that start together; how often each outcome came."""
    barrier = threading.Barrier(count)
    outcomes: list[str] = []

    def run(number: int) -> None:
        barrier.wait()
        try:
            outcomes.append(str(work(number)))
        except Exception as error:
            outcomes.append(type(error).__name__)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return Counter(outcomes)


def quota_at_the_edge() -> None:
    """Ten servers are allowed, sixteen are asked for: ten get it, and what is counted is what exists."""
    limits = {"instances": 10, "cores": 20, "ram": -1}

    @retry_on_deadlock
    def create(number: int) -> str:
        with writer():
            quotas.reserve(quotas.PROJECT, "project", {"instances": 1, "cores": 1, "ram": 512}, limits)
            instances.insert(make_instance(f"vm{number}"))
        return "created"

    assert at_once(create) == {"created": 10, "OverQuota": 6}
    assert quotas.usage(quotas.PROJECT, "project") == {"instances": 10, "cores": 10, "ram": 5120}
    assert quotas.audit() == []


def last_slot() -> None:
    """A node with room for five is claimed by sixteen servers: five get it."""
    node = compute_nodes.upsert(make_node(vcpus=5, cpu_allocation_ratio=1.0)).uuid
    assert at_once(lambda number: allocations.claim(node, f"i{number}", 1, 10, 1)) == {"True": 5, "False": 11}
    assert len(allocations.list(node)) == compute_nodes.get(node).vcpus_used == 5
    assert allocations.audit() == []


def same_claim() -> None:
    """One server is claimed and given back by many at once: it holds one claim, then none."""
    node = compute_nodes.upsert(make_node()).uuid
    assert at_once(lambda _: allocations.claim(node, "i1", 2, 10, 1)) == {"True": RUNNERS}
    assert compute_nodes.get(node).vcpus_used == 2
    assert at_once(lambda _: allocations.release("i1"))["1"] == 1
    assert (compute_nodes.get(node).vcpus_used, allocations.list(), allocations.audit()) == (0, [], [])


def claims_and_releases() -> None:
    """Claims and releases over two nodes in every order leave the books right."""
    nodes = [compute_nodes.upsert(make_node(name, vcpus=3)).uuid for name in ("host1", "host2")]

    def churn(number: int) -> str:
        for turn in range(4):
            allocations.claim(nodes[(number + turn) % 2], f"i{number}", 1, 10, 1)
            if (number + turn) % 3 == 0:
                allocations.release(f"i{number}")
        return "done"

    assert at_once(churn) == {"done": RUNNERS}
    assert allocations.audit() == []


def one_answer() -> None:
    """One question about a server is answered by sixteen schedulers at once, each for another node: one claim holds."""
    nodes = [compute_nodes.upsert(make_node(f"host{number}")).uuid for number in range(RUNNERS)]
    uuid = instances.insert(make_instance()).uuid
    outcomes = at_once(lambda number: allocations.claim(nodes[number], uuid, 1, 10, 1, beside=()))
    assert outcomes == {"True": 1, "False": RUNNERS - 1}
    assert len(allocations.of_instance(uuid)) == 1
    assert allocations.audit() == []


def one_winner() -> None:
    """Sixteen actions want a server's task state: one gets it."""
    uuid = instances.insert(make_instance()).uuid
    outcomes = at_once(lambda _: instances.update_if(uuid, {"task_state": TaskState.PAUSING}, task_state=None))
    assert outcomes == {"True": 1, "False": RUNNERS - 1}


def one_key() -> None:
    """One name, sixteen creators: one key, counted once."""
    outcomes = at_once(lambda _: keypairs.create(KeyPair("k", "u", "aa", "ssh-rsa"), 100).name)
    assert outcomes == {"k": 1, "KeypairExists": RUNNERS - 1}
    assert quotas.usage(quotas.USER, "u") == {"key_pairs": 1}


def crossed_locks() -> None:
    """Transactions that lock two rows in opposite orders all end, each exactly once."""
    uuids = [instances.insert(make_instance(name)).uuid for name in ("a", "b")]

    @retry_on_deadlock
    def swap(number: int) -> str:
        with writer():
            for uuid in uuids if number % 2 else reversed(uuids):
                progress = instances.get(uuid).progress
                if not instances.update_if(uuid, {"progress": progress + 1}, progress=progress):
                    raise exception.DatabaseBusy
        return "done"

    assert at_once(swap, 6) == {"done": 6}
    assert [instances.get(uuid).progress for uuid in uuids] == [6, 6]


def flavors_differ_by_case() -> None:
    """Text is compared letter by letter, as on the other backends."""
    instances.insert(make_instance("a", flavor=make_flavor("Big"), tags=("Tag", "tag"), uuid=uuid_of("case")))
    assert instances.get(uuid_of("case")).tags == ("Tag", "tag")


def members_apart() -> None:
    """Sixteen members of an anti-affinity group want the two places on each of four hosts: eight get one."""
    group = _group("anti-affinity", {MOST_PER_HOST: 2})
    claims = _claims(group, [make_node(f"host{number}") for number in range(4)])
    assert at_once(lambda number: any(claims(number))) == {"True": 8, "False": RUNNERS - 8}
    assert Counter(claim.node_uuid for claim in allocations.list()) == {
        node.uuid: 2 for node in compute_nodes.list_all()
    }  # fmt: skip


def members_together() -> None:
    """Sixteen members of an affinity group begin on sixteen hosts at once: they end on one."""
    group = _group("affinity")
    claims = _claims(group, [make_node(f"host{number}", vcpus=RUNNERS) for number in range(RUNNERS)])
    assert at_once(lambda number: any(claims(number))) == {"True": RUNNERS}
    assert len({claim.node_uuid for claim in allocations.list()}) == 1


def _group(policy: str, rules: dict[str, int] | None = None) -> str:
    uuid = uuid_of("group")
    server_groups.create(ServerGroup(uuid, "project", "user", "g", policy, rules or {}), {})
    return uuid


def _claims(group: str, nodes: list[ComputeNode]) -> Callable[[int], Iterator[bool]]:
    """How a member claims one host after the other, beginning where no other member begins."""
    hosts = [make(compute_nodes.upsert(node), "nova", None) for node in nodes]
    for number in range(RUNNERS):
        instances.insert(make_instance(f"m{number}", server_group=group))
    planner = DatabasePlanner()

    def claim(number: int) -> Iterator[bool]:
        for turn in range(len(hosts)):
            uuid = uuid_of(f"instance m{number}")
            spec = make_spec(f"m{number}", group=server_groups.rule(group, besides=uuid))
            yield planner.claim(hosts[(number + turn) % len(hosts)], spec, ())

    return claim


def places_in_a_group() -> None:
    """A group takes ten servers of a user: of sixteen that come at once ten get in, and nobody counts a group twice."""
    group = _group("soft-affinity")

    @retry_on_deadlock
    def join(number: int) -> str:
        with writer():
            server_groups.admit(group, "user", 1, {server_groups.MEMBERS: 10})
            instances.insert(make_instance(f"vm{number}", server_group=group))
        return "joined"

    assert at_once(join) == {"joined": 10, "OverQuota": 6}
    assert len(server_groups.get(group).members) == 10
    assert at_once(lambda _: server_groups.destroy(group)) == {"None": 1, "ServerGroupNotFound": RUNNERS - 1}
    assert quotas.usage(quotas.PROJECT, "project")["server_groups"] == 0


def one_zone() -> None:
    """Sixteen aggregates, each of another zone, want one host: one gets it."""
    numbers = [aggregates.create(f"a{number}", {"availability_zone": f"z{number}"}) for number in range(RUNNERS)]
    outcomes = at_once(lambda number: aggregates.add_host(numbers[number], "host").name[0])
    assert outcomes == {"a": 1, "Conflict": RUNNERS - 1}
    assert len(aggregates.availability_zone_of_hosts()) == 1


def one_creation() -> None:
    """Sixteen requests say the same creation under one key of a client: one makes a server."""

    @retry_on_deadlock
    def create(number: int) -> str:
        with writer():
            idempotency.keep("project", "key", "body", {"uuid": number})
            instances.insert(make_instance(f"vm{number}"))
        return "made"

    assert at_once(create) == {"made": 1, "IdempotencyKeyInUse": RUNNERS - 1}
    kept = idempotency.find("project", "key")
    assert kept is not None and instances.get(uuid_of(f"instance vm{kept.answer['uuid']}"))
    assert instances.count() == 1


def parts_of_one_row() -> None:
    """Each adds a part of its own to one server's metadata and tags: all are there in the end."""
    server = instances.insert(make_instance("vm", metadata={}, tags=()))

    @retry_on_deadlock
    def add(number: int) -> str:
        with writer():
            found = instances.locked(server.uuid)
            changed = {"metadata": {**found.metadata, str(number): ""}, "tags": (*found.tags, str(number))}
            return str(instances.update_if(server.uuid, changed))

    assert at_once(add) == {"True": RUNNERS}
    found = instances.get(server.uuid)
    assert set(found.metadata) == set(found.tags) == set(map(str, range(RUNNERS)))


RACES = (
    quota_at_the_edge, last_slot, same_claim, claims_and_releases, one_answer, one_winner, one_key, crossed_locks,
    flavors_differ_by_case, members_apart, members_together, places_in_a_group, one_zone, one_creation,
    parts_of_one_row,
)  # fmt: skip
