"""Many at once at one edge: what each backend must get right, written once."""

from __future__ import annotations

import json
import pathlib
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable
from typing import Any

from nova_lite import exception
from nova_lite.compute.task_states import TaskState
from nova_lite.db.api import allocations, compute_nodes, instances, keypairs, quotas
from nova_lite.db.session import retry_on_deadlock, writer
from nova_lite.objects import KeyPair
from tests.harness.builders import make_flavor, make_node, uuid_of
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


RACES = (
    quota_at_the_edge, last_slot, same_claim, claims_and_releases, one_answer, one_winner, one_key, crossed_locks,
    flavors_differ_by_case,
)  # fmt: skip
