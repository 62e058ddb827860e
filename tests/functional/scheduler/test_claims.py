"""The scheduler on a real database: what it sees, what it claims, and who gets the last slot."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from nova_lite import liveness
from nova_lite.db.api import aggregates, allocations, compute_nodes, instances, operations, server_groups, services
from nova_lite.objects import ComputeNode, GroupRule, OperationState, Placement, ServerGroup
from nova_lite.scheduler.database import DatabasePlanner, DatabaseState
from nova_lite.scheduler.planning import Planning
from tests.harness.builders import make_host, make_node, make_spec, uuid_of
from tests.harness.database import make_instance
from tests.harness.scheduler import make_pipeline

pytestmark = pytest.mark.usefixtures("database")

Scheduler = Callable[..., Placement]


def _scheduler(max_age_s: float = 1.0) -> Scheduler:
    """One more scheduler, with a snapshot of its own."""
    return Planning(DatabaseState(30.0, "nova", max_age_s), DatabasePlanner(), make_pipeline()).place


def _add_host(host: str, **values: Any) -> ComputeNode:
    services.register(host, liveness.COMPUTE, "compute", "epoch")
    return compute_nodes.upsert(make_node(host, **values))


def _used(node: ComputeNode) -> tuple[int, int, int]:
    now = compute_nodes.get(node.uuid)
    return now.vcpus_used, now.memory_mb_used, now.local_gb_used


def test_a_placement_is_a_claim() -> None:
    node = _add_host("a")
    spec = make_spec(vcpus=2, memory_mb=512, disk_gb=3)
    placement = _scheduler()(spec, 0)
    assert placement.selections[0].node_uuid == node.uuid
    assert _used(node) == (2, 512, 3)
    assert [each.node_uuid for each in allocations.of_instance(spec.instance_uuid)] == [node.uuid]


def test_a_question_that_comes_after_its_turn_claims_nothing() -> None:
    """A message that was late, or came twice, when the build had failed already: nobody would give the claim back."""
    node = _add_host("a")
    uuid = instances.insert(make_instance("server")).uuid
    number = operations.insert_pending(
        request_id="req-1", instance_uuid=uuid, action="create", project_id="p", user_id="u", topic="conductor",
        host=None, args={}, timeout_s=None,
    )  # fmt: skip
    taken = operations.take(number, "owner", 30.0, "conductor", None)
    assert taken is not None
    spec = make_spec("server", operation_id=number, attempt=taken.attempt)
    assert _scheduler()(spec, 0).selections
    allocations.release(uuid)
    operations.finish(number, taken.attempt, OperationState.FAILED, "no")
    assert not _scheduler()(spec, 0).selections
    assert (_used(node), allocations.of_instance(uuid)) == ((0, 0, 0), [])


def test_another_scheduler_answers_the_same_question_with_the_same_node() -> None:
    nodes = [_add_host(name) for name in ("a", "b", "c")]
    first = _scheduler()(make_spec(), 1)
    for _ in nodes:
        compute_nodes.count_build_failure(first.selections[0].host)
        assert _scheduler()(make_spec(), 1).selections == first.selections[:1]
    assert sum(_used(node)[0] for node in nodes) == 1


def test_a_host_is_usable_at_once_and_no_longer_when_disabled() -> None:
    place = _scheduler()
    assert place(make_spec("early"), 0).diagnosis.summary() == "There are no compute hosts."
    _add_host("new")
    assert place(make_spec("1"), 0).selections[0].host == "new"
    service = services.get_by_host("new", liveness.COMPUTE)
    services.set_disabled(service.uuid, True, "maintenance")
    refused = _scheduler()(make_spec("2"), 0).diagnosis
    assert [row.reason for row in refused.refusals] == ["its compute service is disabled: maintenance"]


def test_only_the_compute_service_makes_a_host_usable() -> None:
    services.register("a", "nova-lite-conductor", "conductor", "epoch")
    compute_nodes.upsert(make_node("a"))
    assert _scheduler()(make_spec(), 0).diagnosis.counts == {"ComputeFilter": 1}


def test_zones_come_from_aggregates() -> None:
    for name in ("a", "b"):
        _add_host(name)
    zone = aggregates.create("racks", {"availability_zone": "east"})
    aggregates.add_host(zone, "b")
    place = _scheduler()
    assert place(make_spec("1", availability_zone="east"), 0).selections[0].host == "b"
    chosen = place(make_spec("2", availability_zone="nova"), 0).selections[0]
    assert (chosen.host, chosen.availability_zone) == ("a", "nova")
    assert place(make_spec("3", availability_zone="west"), 0).diagnosis.counts == {"AvailabilityZoneFilter": 2}


SIZES = [
    {"vcpus": 3, "cpu_allocation_ratio": 1.5, "reserved_host_cpus": 1},
    {"memory_mb": 2000, "ram_allocation_ratio": 0.9, "reserved_host_memory_mb": 100},
    {"local_gb": 7, "disk_allocation_ratio": 1.3, "reserved_host_disk_mb": 1536},
    {"vcpus": 1, "cpu_allocation_ratio": 16.0},
]


@pytest.mark.parametrize("inventory", SIZES)
def test_the_filters_and_the_claim_reckon_alike(inventory: dict[str, Any]) -> None:
    """Else a host passes whose claim is refused, for ever."""
    node = _add_host("a", **inventory)
    planner, state = DatabasePlanner(), DatabaseState(30.0, "nova", max_age_s=0)
    for index in range(40):
        spec = make_spec(str(index), vcpus=1, memory_mb=300, disk_gb=1)
        claimed = Planning(state, planner, make_pipeline()).place(spec, 0)
        (host,) = state.recent().hosts
        assert claimed.diagnosis.note is None
        if not claimed.selections:
            assert not planner.claim(host, spec, ())
            break
    assert index > 2 and allocations.audit() == []
    assert host.free_vcpus >= 0 and host.free_memory_mb >= 0 and host.free_disk_gb >= 0
    assert _used(node)[0] == index


def _race(ask: Callable[[int], Placement], number: int) -> list[Placement]:
    barrier, results = threading.Barrier(number), []

    def run(index: int) -> None:
        barrier.wait()
        results.append(ask(index))

    threads = [threading.Thread(target=run, args=(index,)) for index in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == number, "a thread died"
    return results


def test_fifty_requests_for_the_last_slot_sell_it_once() -> None:
    """R14: two schedulers, one slot; the losers hear why."""
    node = _add_host("a", memory_mb=512)
    schedulers = (_scheduler(60), _scheduler(60))
    for place in schedulers:
        # Both know the host as free, so that the claim is what decides.
        place(make_spec("huge", memory_mb=9999), 0)
    results = _race(lambda index: schedulers[index % 2](make_spec(str(index)), 0), 50)
    assert sum(bool(each.selections) for each in results) == 1
    assert _used(node) == (1, 512, 1)
    losers = [each.diagnosis for each in results if not each.selections]
    assert all(each.counts == {"RamFilter": 1} for each in losers)
    assert any("claim race" in each.summary() for each in losers)
    assert allocations.audit() == []


def test_fifty_requests_for_fifty_slots_all_get_one() -> None:
    nodes = [_add_host(f"host{index}", memory_mb=10 * 512) for index in range(5)]
    schedulers = (_scheduler(), _scheduler())
    results = _race(lambda index: schedulers[index % 2](make_spec(str(index)), 0), 50)
    assert all(each.selections for each in results)
    assert [_used(node) for node in nodes] == [(10, 5120, 10)] * 5
    assert allocations.audit() == []


def test_a_question_asked_twenty_times_at_once_claims_once() -> None:
    """Duplicated messages: every scheduler gives the same answer, and nothing leaks."""
    for name in ("a", "b", "c"):
        _add_host(name)
    schedulers = (_scheduler(), _scheduler())
    results = _race(lambda index: schedulers[index % 2](make_spec(), 0), 20)
    assert len({each.selections[0].node_uuid for each in results}) == 1
    assert len(allocations.of_instance(make_spec().instance_uuid)) == 1
    assert allocations.audit() == []


def test_a_policy_is_judged_where_the_claim_is_written() -> None:
    """Two schedulers looked at the same moment: the second to claim is told by the database, not by its picture."""
    here = _add_host("a")
    group = ServerGroup(uuid_of("group"), "project", "user", "g", "anti-affinity", {})
    server_groups.create(group, {})
    members = [instances.insert(make_instance(name, server_group=group.uuid)).uuid for name in ("one", "two")]
    nobody = GroupRule(group.uuid, "anti-affinity", 1, {})
    picture = make_host("a", node_uuid=here.uuid)
    won = [DatabasePlanner().claim(picture, make_spec(instance_uuid=uuid, group=nobody), ()) for uuid in members]
    assert won == [True, False]
    assert [each.instance_uuid for each in allocations.list()] == members[:1]


def test_a_question_that_comes_late_claims_for_nobody() -> None:
    """Its answer was given up, and the operation is another's by now."""
    here = _add_host("a")
    number = operations.insert_pending(
        request_id="r", instance_uuid=uuid_of("server"), action="create", project_id="p", user_id="u",
        topic="conductor", host=None, args={}, timeout_s=9,
    )  # fmt: skip
    first = operations.take(number, "one", -1, "conductor", None)
    second = operations.take(number, "two", 60, "conductor", None)
    assert first is not None and second is not None
    picture = make_host("a", node_uuid=here.uuid)
    for asked, wins in ((first, False), (second, True)):
        spec = make_spec(operation_id=number, attempt=asked.attempt)
        assert DatabasePlanner().claim(picture, spec, ()) is wins
        assert bool(allocations.list()) is wins
