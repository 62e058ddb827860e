"""Claims: never more than there is, each server once, the books always the sum."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Executable, delete, insert, update

from nova_lite.db import session
from nova_lite.db.api import allocations, compute_nodes, instances
from nova_lite.db.models import Allocation as Claims
from nova_lite.db.models import ComputeNode as Model
from nova_lite.db.transaction import Transaction
from nova_lite.objects import Allocation
from tests.harness.builders import make_node, uuid_of
from tests.harness.database import make_instance

pytestmark = pytest.mark.usefixtures("database")
NODE = uuid_of("node host1")


def _node(**values: object) -> str:
    sizes = {"vcpus": 4, "memory_mb": 4096, "local_gb": 100, "cpu_allocation_ratio": 2.0}
    return compute_nodes.upsert(make_node(**{**sizes, **values})).uuid


def _used(node_uuid: str = NODE) -> tuple[int, int, int, int]:
    node = compute_nodes.get(node_uuid)
    return node.vcpus_used, node.memory_mb_used, node.local_gb_used, node.generation


def test_a_claim_is_booked_once() -> None:
    node = _node()
    assert allocations.claim(node, "i1", 2, 1024, 10)
    assert allocations.claim(node, "i1", 2, 1024, 10)
    assert _used() == (2, 1024, 10, 1)
    assert allocations.of_instance("i1") == [Allocation("i1", node, 2, 1024, 10)]
    assert allocations.audit() == []


@pytest.mark.parametrize(
    ("asked", "fits"),
    [((8, 1, 1), True), ((9, 1, 1), False), ((1, 4096, 1), True), ((1, 4097, 1), False), ((1, 1, 101), False)],
)
def test_the_last_bit_of_each_resource(asked: tuple[int, int, int], fits: bool) -> None:
    node = _node()
    assert allocations.claim(node, "i1", *asked) is fits
    assert (allocations.list() != []) is fits


def test_what_is_reserved_is_not_sold() -> None:
    node = _node(reserved_host_cpus=1, reserved_host_memory_mb=96, reserved_host_disk_mb=1024)
    assert allocations.claim(node, "i1", 6, 4000, 99)
    allocations.release("i1")
    for more in ((7, 1, 1), (1, 4001, 1), (1, 1, 100)):
        assert not allocations.claim(node, "i1", *more)


def test_what_is_not_asked_for_may_be_overdrawn() -> None:
    node = _node()
    assert allocations.claim(node, "i1", 1, 1, 100)
    compute_nodes.upsert(make_node(vcpus=4, memory_mb=4096, local_gb=50))
    assert [each.recorded for each in allocations.audit()] == [(1, 1, 100)]
    assert allocations.claim(node, "i2", 1, 1, 0)
    assert not allocations.claim(node, "i3", 1, 1, 1)


def test_a_claim_beside_others_names_them() -> None:
    """The asker knew of the claim on a; of that on b, written meanwhile, it did not."""
    a, b, c = (compute_nodes.upsert(make_node(name)).uuid for name in ("a", "b", "c"))
    assert allocations.claim(a, "i1", 1, 1, 1, beside=())
    assert allocations.claim(b, "i1", 1, 1, 1, beside=(a,))
    assert not allocations.claim(c, "i1", 1, 1, 1, beside=(a,))
    assert allocations.claim(b, "i1", 1, 1, 1, beside=(a,)), "its own claim on the same node is no other"
    assert allocations.claim(c, "i2", 1, 1, 1, beside=()), "another server's claims are none of its own"
    assert [each.node_uuid for each in allocations.of_instance("i1")] == [a, b]


def test_a_claim_on_old_books_is_refused() -> None:
    node = _node()
    assert not allocations.claim(node, "i1", 1, 1, 1, generation=7)
    assert allocations.claim(node, "i1", 1, 1, 1, generation=0)
    assert not allocations.claim(node, "i2", 1, 1, 1, generation=0)
    assert allocations.claim(node, "i2", 1, 1, 1, generation=1)


def test_no_such_node() -> None:
    assert not allocations.claim("nobody", "i1", 1, 1, 1)


def test_a_second_claim_changes_the_size() -> None:
    node = _node()
    assert allocations.claim(node, "i1", 4, 100, 10)
    assert allocations.claim(node, "i1", 6, 50, 10)
    assert _used()[:3] == (6, 50, 10)
    assert not allocations.claim(node, "i1", 9, 50, 10)
    assert allocations.of_instance("i1") == [Allocation("i1", node, 6, 50, 10)]
    assert allocations.audit() == []


def test_release_is_idempotent_and_by_node() -> None:
    one, two = _node(), _node(host="host2", hypervisor_hostname="host2")
    for node in (one, two):
        assert allocations.claim(node, "i1", 1, 10, 1)
    assert allocations.of_instances(["i1", "i2"]) == {"i1": allocations.list()}
    assert allocations.release("i1", one) == 1
    assert (_used(one)[:3], _used(two)[:3]) == ((0, 0, 0), (1, 10, 1))
    assert allocations.list(two) == allocations.of_instance("i1")
    assert allocations.release("i1") == 1
    assert allocations.release("i1") == 0
    assert _used(two)[:3] == (0, 0, 0)


def _meanwhile(monkeypatch: pytest.MonkeyPatch, statement: Executable) -> list[str]:
    """Somebody else's statement comes between what the next transaction reads and what it writes; the nodes booked."""
    real, booked = allocations._book, []

    def book(transaction: Transaction, node_uuid: str, *rest: Any) -> bool:
        if not booked:
            transaction.execute(statement)
        booked.append(node_uuid)
        return real(transaction, node_uuid, *rest)

    monkeypatch.setattr(allocations, "_book", book)
    return booked


def test_a_claim_that_is_written_meanwhile_is_not_written_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    node = _node()
    claim = {"instance_uuid": "i1", "node_uuid": node, "vcpus": 2, "memory_mb": 10, "disk_gb": 1}
    booked = _meanwhile(monkeypatch, insert(Claims.__table__).values(claim))
    assert allocations.claim(node, "i1", 2, 10, 1)
    assert allocations.of_instance("i1") == [Allocation("i1", node, 2, 10, 1)] and allocations.audit() == []
    assert len(booked) == 2, "it was done again"


def test_a_claim_that_changes_meanwhile_is_looked_at_again(monkeypatch: pytest.MonkeyPatch) -> None:
    node = _node()
    assert allocations.claim(node, "i1", 2, 10, 1)
    booked = _meanwhile(monkeypatch, update(Claims.__table__).values(vcpus=3))
    assert allocations.claim(node, "i1", 4, 10, 1)
    assert allocations.of_instance("i1") == [Allocation("i1", node, 4, 10, 1)] and allocations.audit() == []
    assert len(booked) == 2, "it was done again"


def test_a_claim_that_is_released_meanwhile_is_booked_back_once(monkeypatch: pytest.MonkeyPatch) -> None:
    node = _node()
    assert allocations.claim(node, "i1", 2, 10, 1)
    booked = _meanwhile(monkeypatch, delete(Claims.__table__))
    assert allocations.release("i1") == 1
    assert _used()[:3] == (0, 0, 0) and allocations.list() == []
    assert len(booked) == 2, "it was done again"


def test_a_claim_is_undone_with_its_transaction() -> None:
    node = _node()
    with pytest.raises(KeyError), session.writer():
        allocations.claim(node, "i1", 1, 1, 1)
        raise KeyError
    assert (_used(), allocations.list()) == ((0, 0, 0, 0), [])


def test_orphans_are_released() -> None:
    node = _node()
    live, gone = (instances.insert(make_instance(name)).uuid for name in ("a", "b"))
    for uuid in (live, gone, "never was"):
        assert allocations.claim(node, uuid, 1, 1, 1)
    instances.tombstone(gone)
    assert allocations.release_orphans() == 2
    assert [each.instance_uuid for each in allocations.list()] == [live]
    assert allocations.release_orphans() == 0


def test_audit_sees_wrong_books_and_repair_mends_them() -> None:
    node = _node()
    assert allocations.claim(node, "i1", 1, 10, 1)
    with session.writer() as writing:
        writing.execute(Model.__table__.update().values(memory_mb_used=11))
    found = allocations.audit()
    assert [(each.node_uuid, each.recorded, each.actual) for each in found] == [(node, (1, 11, 1), (1, 10, 1))]
    assert found[0].capacity == (8.0, 4096.0, 100.0)
    assert allocations.repair(node)
    assert allocations.audit() == []
    assert not allocations.repair("nobody")


def test_a_transferred_claim_changes_its_consumer_and_no_book() -> None:
    node = _node()
    assert allocations.claim(node, "server", 2, 10, 1)
    before = _used()
    assert allocations.transfer("server", "move") == 1
    assert allocations.transfer("server", "move") == 0
    assert allocations.of_instance("move") == [Allocation("move", node, 2, 10, 1)]
    assert allocations.of_instance("server") == [] and _used() == before and allocations.audit() == []
