"""Hypervisors report what they have; their claims are not theirs to write."""

from __future__ import annotations

import dataclasses

import pytest

from nova_lite import exception
from nova_lite.db.api import allocations, compute_nodes
from nova_lite.db.models import ComputeNode as Model
from nova_lite.objects import ComputeNode
from tests.harness.builders import make_node

pytestmark = pytest.mark.usefixtures("database")


def test_every_field_is_a_column() -> None:
    assert {column.name for column in Model.__table__.c} == {field.name for field in dataclasses.fields(ComputeNode)}


def test_upsert_writes_all_of_the_inventory() -> None:
    node = make_node(
        cpu_info={"model": "x", "features": ["a"]}, stats={"load": 1}, host_ip="10.0.0.1", disk_available_least=-5,
        supported_instances=(("x86_64", "kvm", "hvm"), ("i686", "qemu", "hvm")),
    )  # fmt: skip
    written = compute_nodes.upsert(node)
    for name in compute_nodes.INVENTORY:
        assert getattr(written, name) == getattr(node, name), name
    assert (written.uuid, written.generation) == (node.uuid, 0)
    assert compute_nodes.list_all() == [written] == compute_nodes.on_host("host1")
    assert compute_nodes.get(node.uuid) == compute_nodes.get_by_name("host1", "host1") == written


def test_upsert_leaves_claims_alone_and_counts_changes() -> None:
    node = compute_nodes.upsert(make_node())
    assert allocations.claim(node.uuid, "i1", 1, 10, 1)
    assert compute_nodes.upsert(make_node(vcpus_used=0)).vcpus_used == 1
    assert compute_nodes.upsert(make_node()).generation == 1
    more = compute_nodes.upsert(make_node(memory_mb=99999, uuid="other"))
    assert (more.generation, more.memory_mb, more.memory_mb_used, more.uuid) == (2, 99999, 10, node.uuid)


def test_an_identity_is_not_used_twice() -> None:
    node = compute_nodes.upsert(make_node())
    with pytest.raises(exception.Conflict, match="known as host1 of host host1; host renamed must"):
        compute_nodes.upsert(make_node("renamed", uuid=node.uuid))


def test_build_failures() -> None:
    uuid = compute_nodes.upsert(make_node()).uuid
    compute_nodes.count_build_failure("host1")
    compute_nodes.count_build_failure("host1")
    assert compute_nodes.get(uuid).build_failures == 2
    assert compute_nodes.upsert(make_node()).build_failures == 2
    compute_nodes.reset_build_failures("host1")
    assert compute_nodes.get(uuid).build_failures == 0


def test_destroy() -> None:
    uuid = compute_nodes.upsert(make_node()).uuid
    compute_nodes.destroy(uuid)
    with pytest.raises(exception.ComputeHostNotFound):
        compute_nodes.destroy(uuid)
    with pytest.raises(exception.ComputeHostNotFound):
        compute_nodes.get(uuid)
