"""Whole decisions on the harness: claims, lost races, old snapshots, alternates, questions asked twice."""

from __future__ import annotations

import datetime
import threading
from collections.abc import Collection

from hypothesis import given, settings
from hypothesis import strategies as st

from nova_lite.objects import RequestSpec
from nova_lite.scheduler.host_state import HostState
from nova_lite.scheduler.planning import CLAIMS_PER_ROUND, Planning
from tests.harness.builders import NOW, make_node, make_service, make_spec
from tests.harness.scheduler import RejectingPlanner, SchedulerHarness, make_pipeline


def test_the_best_host_is_claimed_and_alternates_are_not() -> None:
    harness = SchedulerHarness([make_node("a", memory_mb_used=9000), make_node("b"), make_node("c", memory_mb_used=1)])
    placement = harness.place(make_spec(), alternates=2)
    assert [(each.host, each.claimed) for each in placement.selections] == [("b", True), ("c", False), ("a", False)]
    assert harness.claims_asked == [(make_spec().instance_uuid, harness.nodes[placement.selections[0].node_uuid].uuid)]
    assert placement.diagnosis.chosen == "b"


def test_alternates_are_on_other_hosts() -> None:
    nodes = [make_node("a", hypervisor_hostname=f"a{index}") for index in range(3)] + [make_node("b", vcpus_used=9)]
    placement = SchedulerHarness(nodes).place(make_spec(), alternates=3)
    assert [each.host for each in placement.selections] == ["a", "b"]


def test_no_valid_host_has_no_selections_and_says_why() -> None:
    harness = SchedulerHarness([make_node("small", memory_mb=256)])
    placement = harness.place(make_spec(memory_mb=512))
    assert placement.selections == () and harness.claims_asked == []
    assert placement.diagnosis.counts == {"RamFilter": 1}
    assert placement.diagnosis.nearest == "small short of 256 MB"


def test_many_servers_spread_as_each_claim_is_counted() -> None:
    harness = SchedulerHarness([make_node(name) for name in ("a", "b", "c")])
    planning = harness.planning()
    hosts = [planning.place(make_spec(str(index)), 0).selections[0].host for index in range(6)]
    assert hosts == ["a", "b", "c", "a", "b", "c"]
    assert harness.snapshots_taken == 1


def test_a_server_that_holds_a_claim_gets_the_same_node_and_no_second_claim() -> None:
    """The conductor died after the claim: the next one asks the same question."""
    harness = SchedulerHarness([make_node("a"), make_node("b")])
    first = harness.place(make_spec())
    harness.nodes = {uuid: node.replace(vcpus_used=64) for uuid, node in harness.nodes.items()}
    again = harness.place(make_spec())
    assert again.selections == first.selections and len(harness.claims_asked) == 1
    assert again.diagnosis.note == "an earlier claim of this server stands"


def test_a_claim_on_a_host_to_be_avoided_does_not_stand() -> None:
    harness = SchedulerHarness([make_node("a"), make_node("b")])
    first = harness.place(make_spec()).selections[0]
    assert harness.place(make_spec(ignore_hosts=(first.host,))).selections[0].host != first.host


def test_a_claim_of_another_size_does_not_stand() -> None:
    harness = SchedulerHarness([make_node("a"), make_node("b")])
    harness.place(make_spec(memory_mb=512))
    harness.place(make_spec(memory_mb=1024))
    assert len(harness.claims_asked) == 2


def test_the_same_question_at_another_scheduler_at_the_same_moment_is_answered_once() -> None:
    harness = SchedulerHarness([make_node("a"), make_node("b", vcpus_used=1)])
    spec, claim = make_spec(), harness.claim

    def twin_first(host: HostState, asked: RequestSpec, beside: Collection[str]) -> bool:
        harness.claim = claim  # type: ignore[method-assign]
        (other,) = (each for each in harness.recent().hosts if each.host == "b")
        assert claim(other, spec)
        return claim(host, asked, beside)

    harness.claim = twin_first  # type: ignore[method-assign]
    placement = harness.place(spec)
    assert [each.host for each in placement.selections] == ["b"]
    assert [each.node_uuid for each in harness.claims[spec.instance_uuid]] == [placement.selections[0].node_uuid]


def test_a_host_registered_a_moment_ago_is_found() -> None:
    """"No" is never said of a cached snapshot."""
    harness = SchedulerHarness([])
    planning = harness.planning()
    assert planning.place(make_spec("early"), 0).selections == ()
    node = make_node("new")
    harness.nodes[node.uuid] = node
    harness.services.append(make_service("new"))
    assert planning.place(make_spec("late"), 0).selections[0].host == "new"


def test_a_yes_may_rest_on_a_snapshot_of_a_moment_ago_but_not_of_long_ago() -> None:
    harness = SchedulerHarness([make_node("a"), make_node("b")])
    planning = harness.planning()
    planning.place(make_spec("1"), 0)
    planning.place(make_spec("2"), 0)
    assert harness.snapshots_taken == 1
    harness.time_s += 2
    old = NOW - datetime.timedelta(minutes=5)
    harness.services = [make_service("a", last_seen_at=old), make_service("b")]
    assert planning.place(make_spec("3"), 0).selections[0].host == "b"
    assert harness.snapshots_taken == 2


def test_a_lost_claim_goes_on_with_the_next_host() -> None:
    harness = SchedulerHarness([make_node("a"), make_node("b")])
    planner = RejectingPlanner(harness, times=1)
    placement = Planning(harness, planner, make_pipeline(), clock=harness.clock).place(make_spec(), 1)
    assert planner.rejected == ["a"] and placement.selections[0].host == "b"
    assert placement.diagnosis.note == "claim race: 1 claim(s) lost to other requests"


def test_the_last_slot_taken_under_us_is_seen_on_a_fresh_snapshot() -> None:
    harness = SchedulerHarness([make_node("a", memory_mb=512)])
    planner = RejectingPlanner(harness, times=1, thief=make_spec("thief"))
    placement = Planning(harness, planner, make_pipeline(), clock=harness.clock).place(make_spec(), 0)
    assert placement.selections == () and harness.snapshots_taken == 2
    assert placement.diagnosis.counts == {"RamFilter": 1}
    assert placement.diagnosis.summary().endswith("claim race: 1 claim(s) lost to other requests.")


def test_for_ever_losing_ends() -> None:
    harness = SchedulerHarness([make_node(f"host{index:02}") for index in range(40)])
    planner = RejectingPlanner(harness)
    placement = Planning(harness, planner, make_pipeline(), rounds=3, clock=harness.clock).place(make_spec(), 2)
    assert placement.selections == ()
    assert len(planner.rejected) == 3 * CLAIMS_PER_ROUND and harness.snapshots_taken == 3
    assert placement.diagnosis.note == f"claim race: {3 * CLAIMS_PER_ROUND} claim(s) lost to other requests"


def test_hints_are_looked_up_among_claims() -> None:
    harness = SchedulerHarness([make_node("a"), make_node("b")])
    first = make_spec("first")
    home = harness.place(first).selections[0].host
    apart = make_spec("apart", scheduler_hints={"different_host": first.instance_uuid})
    beside = make_spec("beside", scheduler_hints={"same_host": [first.instance_uuid]})
    lost = make_spec("lost", scheduler_hints={"same_host": ["no-such-server"]})
    assert harness.place(apart).selections[0].host != home
    assert harness.place(beside).selections[0].host == home
    assert harness.place(lost).diagnosis.counts == {"SameHostFilter": 2}


sizes = st.tuples(st.integers(1, 4), st.integers(64, 2048), st.integers(0, 20))


@given(
    st.lists(st.tuples(st.integers(1, 4), st.integers(256, 4096), st.integers(1, 40)), max_size=4),
    st.lists(sizes, max_size=30),
    st.booleans(),
)
@settings(max_examples=60, deadline=None)
def test_claims_never_exceed_inventory_and_no_room_is_left_unused(
    inventory: list[tuple[int, int, int]], wishes: list[tuple[int, int, int]], shuffle: bool
) -> None:
    nodes = [
        make_node(f"host{index}", vcpus=vcpus, memory_mb=memory_mb, local_gb=local_gb)
        for index, (vcpus, memory_mb, local_gb) in enumerate(inventory)
    ]
    harness = SchedulerHarness(nodes)
    planning = harness.planning(make_pipeline(shuffle_best=shuffle))
    for index, (vcpus, memory_mb, disk_gb) in enumerate(wishes):
        spec = make_spec(str(index), vcpus=vcpus, memory_mb=memory_mb, disk_gb=disk_gb)
        placement = planning.place(spec, 0)
        assert harness.oversold() == []
        if not placement.selections:
            # nobody is refused while a host would take the claim
            assert not any(
                node.vcpus >= vcpus and node.memory_mb >= memory_mb and harness.claim(host, spec)
                for host in harness.since(harness.time_s).hosts
                if (node := harness.nodes[host.node_uuid])
            )
            assert sum(placement.diagnosis.counts.values()) == len(nodes)


def test_fifty_threads_and_one_slot() -> None:
    """R14 in memory: the claim is atomic, all else is not."""
    harness = SchedulerHarness([make_node("a", memory_mb=512)])
    lock, claim = threading.Lock(), harness.claim
    barrier = threading.Barrier(50)
    results = []

    def locked_claim(*args: object) -> bool:
        with lock:
            return claim(*args)  # type: ignore[arg-type]

    harness.claim = locked_claim  # type: ignore[method-assign]
    planning = harness.planning()

    def ask(index: int) -> None:
        barrier.wait()
        results.append(planning.place(make_spec(str(index)), 0))

    threads = [threading.Thread(target=ask, args=(index,)) for index in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(bool(each.selections) for each in results) == 1
    assert harness.oversold() == [] and len(results) == 50
