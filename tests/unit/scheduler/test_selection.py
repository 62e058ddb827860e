"""Selection: ranking, ties, draws, and properties that hold for any hosts and any spec."""

from __future__ import annotations

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from nova_lite.objects import RequestSpec
from nova_lite.scheduler import filters
from nova_lite.scheduler.base import Filter
from nova_lite.scheduler.host_state import HostState
from nova_lite.scheduler.selection import run_filters, select
from tests.harness.builders import make_host, make_spec, uuid_of
from tests.harness.scheduler import make_pipeline

SERVERS = [uuid_of(f"instance {index}") for index in range(4)]
HOSTS = [f"host{index}" for index in range(6)]
ZONES = ["east", "west"]
KINDS = [(), (("x86_64", "kvm", "hvm"),), (("aarch64", "qemu", "hvm"), ("x86_64", "qemu", "xen"))]


@st.composite
def host_states(draw: st.DrawFn, name: str) -> HostState:
    return make_host(
        name,
        zone=draw(st.sampled_from(ZONES)),
        unusable=draw(st.sampled_from([None, None, None, "is down"])),
        instances=frozenset(draw(st.lists(st.sampled_from(SERVERS), max_size=2))),
        vcpus=draw(st.integers(1, 8)),
        vcpus_used=draw(st.integers(0, 8)),
        memory_mb=draw(st.integers(256, 4096)),
        memory_mb_used=draw(st.integers(0, 4096)),
        ram_allocation_ratio=draw(st.sampled_from([0.9, 1.0, 1.5])),
        local_gb=draw(st.integers(0, 20)),
        local_gb_used=draw(st.integers(0, 20)),
        reserved_host_disk_mb=draw(st.integers(0, 2048)),
        build_failures=draw(st.integers(0, 2)),
        supported_instances=draw(st.sampled_from(KINDS)),
    )


fleets = st.tuples(*(host_states(name) for name in HOSTS)).flatmap(
    lambda fleet: st.integers(0, len(HOSTS)).map(lambda size: list(fleet[:size]))
)
hints = st.fixed_dictionaries(
    {},
    optional={
        "different_host": st.lists(st.sampled_from(SERVERS), max_size=2),
        "same_host": st.sampled_from(SERVERS),
        "_nova_check_type": st.just(["rebuild"]),
    },
)
specs = st.builds(
    make_spec,
    vcpus=st.integers(1, 4),
    memory_mb=st.integers(64, 2048),
    disk_gb=st.integers(0, 10),
    availability_zone=st.sampled_from([None, None, *ZONES]),
    force_host=st.sampled_from([None, None, None, *HOSTS]),
    force_node=st.sampled_from([None, None, None, *HOSTS]),
    ignore_hosts=st.lists(st.sampled_from(HOSTS), max_size=2).map(tuple),
    scheduler_hints=hints,
    properties=st.sampled_from([{}, {"hw_architecture": "amd64"}, {"hw_vm_mode": "xen", "img_hv_type": "qemu"}]),
)
ALL = filters.load(filters.REGISTRY)


class Nobody(Filter):
    name = "Nobody"

    def passes(self, host: HostState, spec: RequestSpec) -> str | None:
        return "never"


def _left(hosts: list[HostState], spec: RequestSpec, chain: list[Filter]) -> list[HostState]:
    stages = run_filters(hosts, spec, chain)
    return list(stages[-1].after if stages else hosts)


@given(fleets, specs, st.integers(1, 4), st.integers(1, 4), st.booleans())
def test_the_chosen_are_hosts_that_were_offered_once_each(
    hosts: list[HostState], spec: RequestSpec, count: int, subset: int, shuffle: bool
) -> None:
    choice = select(hosts, spec, make_pipeline(host_subset_size=subset, shuffle_best=shuffle), count)
    assert set(choice.hosts) <= set(hosts)
    assert len(set(choice.hosts)) == len(choice.hosts) <= count
    assert choice.considered == len(hosts)


@given(fleets, specs)
def test_every_filter_judges_one_host_as_it_judges_all(hosts: list[HostState], spec: RequestSpec) -> None:
    for each in ALL:
        alone = [host for host in hosts if each.passes(host, spec) is None]
        assert each.keep(hosts, spec) == alone, each.name
        assert each.applies(spec) or alone == hosts, each.name


@given(fleets, specs)
def test_every_refused_host_has_a_reason_and_every_host_is_accounted_for(
    hosts: list[HostState], spec: RequestSpec
) -> None:
    stages = run_filters(hosts, spec, ALL)
    refused = 0
    for stage in stages:
        for host in stage.before:
            if host not in stage.after:
                refused += 1
                reason = stage.filter.passes(host, spec)
                assert reason
    assert refused + len(_left(hosts, spec, list(ALL))) == len(hosts)


@given(fleets, specs, st.integers(0, len(ALL)))
def test_one_filter_more_never_adds_a_host(hosts: list[HostState], spec: RequestSpec, place: int) -> None:
    with_all = _left(hosts, spec, list(ALL))
    for each in ALL:
        assert set(with_all) <= set(_left(hosts, spec, [other for other in ALL if other is not each]))
    assert _left(hosts, spec, [*ALL[:place], Nobody(), *ALL[place:]]) == []


@given(fleets, specs, st.randoms(use_true_random=False))
def test_the_order_of_filters_does_not_matter(
    hosts: list[HostState], spec: RequestSpec, shuffler: random.Random
) -> None:
    other = list(ALL)
    shuffler.shuffle(other)
    assert _left(hosts, spec, other) == _left(hosts, spec, list(ALL))


@given(fleets, specs)
@settings(max_examples=50)
def test_the_same_question_has_the_same_answer(hosts: list[HostState], spec: RequestSpec) -> None:
    pipeline = make_pipeline(host_subset_size=3, shuffle_best=True)
    assert select(hosts, spec, pipeline, 3, "seed").hosts == select(hosts, spec, pipeline, 3, "seed").hosts


@given(fleets, specs)
@settings(max_examples=50)
def test_weights_never_rise_along_the_order(hosts: list[HostState], spec: RequestSpec) -> None:
    weights = [weight for _, weight in select(hosts, spec, make_pipeline(), len(hosts)).best]
    assert weights == sorted(weights, reverse=True)


def test_the_roomiest_host_is_best() -> None:
    hosts = [make_host("full", memory_mb_used=8000), make_host("empty"), make_host("half", memory_mb_used=4000)]
    choice = select(hosts, make_spec(), make_pipeline(), 2)
    assert [host.host for host in choice.hosts] == ["empty", "half"]


def test_ties_go_by_position() -> None:
    hosts = [make_host(name) for name in ("a", "b", "c")]
    assert [host.host for host in select(hosts, make_spec(), make_pipeline(), 3).hosts] == ["a", "b", "c"]


def test_a_shuffle_draws_among_equals_only() -> None:
    hosts = [make_host("worse", memory_mb_used=4096), *(make_host(f"equal{index}") for index in range(8))]
    pipeline = make_pipeline(shuffle_best=True)
    first = {select(hosts, make_spec(), pipeline, 2, str(seed)).hosts[0].host for seed in range(100)}
    assert first == {f"equal{index}" for index in range(8)}


def test_a_subset_draws_the_first_and_keeps_the_others_in_order() -> None:
    hosts = [make_host(f"host{index}", memory_mb_used=index * 1000) for index in range(5)]
    pipeline = make_pipeline(host_subset_size=3)
    choices = [select(hosts, make_spec(), pipeline, 4, str(seed)) for seed in range(50)]
    orders = {tuple(host.host for host in choice.hosts) for choice in choices}
    assert orders == {
        ("host0", "host1", "host2", "host3"),
        ("host1", "host0", "host2", "host3"),
        ("host2", "host0", "host1", "host3"),
    }


def test_no_hosts_no_choice() -> None:
    choice = select([], make_spec(), make_pipeline(), 3)
    assert (choice.considered, choice.stages, choice.best) == (0, (), ())


def test_filters_after_the_last_host_fell_are_not_asked() -> None:
    choice = select([make_host(unusable="is down")], make_spec(memory_mb=1), make_pipeline(), 1)
    assert [stage.filter.name for stage in choice.stages] == ["ComputeFilter"]
