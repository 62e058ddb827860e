"""HostState and Snapshot: what is free, who is up."""

from __future__ import annotations

import datetime

import pytest

from nova_lite.objects import Service
from nova_lite.scheduler.host_state import why_unusable
from nova_lite.scheduler.snapshot import Snapshot, build
from tests.harness.builders import NOW, make_host, make_node, make_service, make_spec


def test_free_is_total_less_reserved_times_ratio_less_used() -> None:
    host = make_host(
        vcpus=4,
        cpu_allocation_ratio=2.0,
        reserved_host_cpus=1,
        vcpus_used=3,
        memory_mb=1000,
        ram_allocation_ratio=1.5,
        reserved_host_memory_mb=200,
        memory_mb_used=300,
        local_gb=10,
        disk_allocation_ratio=2.0,
        reserved_host_disk_mb=2048,
        local_gb_used=5,
    )
    assert (host.free_vcpus, host.free_memory_mb, host.free_disk_gb) == (3.0, 900.0, 11.0)


def test_consume_takes_what_the_spec_needs() -> None:
    host = make_host()
    after = host.consume(make_spec(vcpus=2, memory_mb=1024, disk_gb=5))
    assert host.free_vcpus - after.free_vcpus == 2
    assert host.free_memory_mb - after.free_memory_mb == 1024
    assert host.free_disk_gb - after.free_disk_gb == 5


@pytest.mark.parametrize(
    "service, reason",
    [
        (make_service(), None),
        (make_service(last_seen_at=NOW - datetime.timedelta(seconds=30)), None),
        (
            make_service(last_seen_at=NOW - datetime.timedelta(seconds=31)),
            "its compute service is down: not heard for 31 s, 30 s allowed",
        ),
        # a heartbeat from a host whose clock is ahead is still a heartbeat
        (make_service(last_seen_at=NOW + datetime.timedelta(seconds=90)), None),
        (make_service(last_seen_at=None), "its compute service never reported"),
        (make_service(forced_down=True), "its compute service is forced down"),
        (make_service(disabled=True, disabled_reason="disks"), "its compute service is disabled: disks"),
        (make_service(disabled=True), "its compute service is disabled: no reason given"),
        (None, "has no compute service"),
    ],
)
def test_why_a_host_is_unusable(service: Service | None, reason: str | None) -> None:
    assert why_unusable(service, NOW, 30.0) == reason


def test_a_snapshot_joins_nodes_with_their_compute_service_and_zone() -> None:
    services = [make_service("b"), make_service("gone")]
    snapshot = build([make_node("b"), make_node("a")], services, {"b": "east"}, "nova", NOW, 30.0, 5.0)
    assert [(host.host, host.availability_zone, host.unusable) for host in snapshot.hosts] == [
        ("a", "nova", "has no compute service"),
        ("b", "east", None),
    ]
    assert snapshot.taken_at == 5.0


def test_a_snapshot_counts_what_was_sold_since() -> None:
    host = make_host("a")
    snapshot = Snapshot([host, make_host("b")])
    snapshot.consume(host.node_uuid, make_spec(memory_mb=512))
    snapshot.consume("no such node", make_spec())
    after = snapshot.get(host.node_uuid)
    assert after is not None and after.free_memory_mb == host.free_memory_mb - 512
    assert snapshot.get("no such node") is None


def test_named_servers_are_known_only_to_the_copy() -> None:
    here = make_host("a")
    snapshot = Snapshot([here, make_host("b")])
    hosts = snapshot.with_instances({"x": [here.node_uuid], "y": [here.node_uuid, "elsewhere"]})
    assert [host.instances for host in hosts] == [frozenset({"x", "y"}), frozenset()]
    assert all(not host.instances for host in snapshot.hosts)
