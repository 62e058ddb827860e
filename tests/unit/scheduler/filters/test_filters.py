"""Each filter by a table: who passes, who does not and with which words."""

from __future__ import annotations

import pytest

from nova_lite import exception
from nova_lite.objects import GroupRule, RequestSpec
from nova_lite.scheduler import filters
from nova_lite.scheduler.filters.aggregate_extra_specs import matches
from nova_lite.scheduler.host_state import HostState
from tests.harness.builders import make_flavor, make_host, make_spec, uuid_of

ALPHA, BETA = uuid_of("instance alpha"), uuid_of("instance beta")
KVM = (("x86_64", "kvm", "hvm"), ("i686", "kvm", "hvm"))
AMD64 = {"hw_architecture": "amd64"}

SSD, SCOPED = (("ssd", "fast"), ("ssd", "true")), "aggregate_instance_extra_specs:ssd"


def _flavored(extra_specs: dict[str, str]) -> RequestSpec:
    return make_spec(flavor=make_flavor(extra_specs=extra_specs))


TABLE: list[tuple[str, HostState, RequestSpec, str | None]] = [
    ("ComputeFilter", make_host(), make_spec(), None),
    ("ComputeFilter", make_host(unusable="is down"), make_spec(), "is down"),
    ("AvailabilityZoneFilter", make_host(zone="east"), make_spec(), None),
    ("AvailabilityZoneFilter", make_host(zone="east"), make_spec(availability_zone="east"), None),
    (
        "AvailabilityZoneFilter",
        make_host(zone="east"),
        make_spec(availability_zone="west"),
        "is in availability zone east, west was asked for",
    ),
    ("RamFilter", make_host(memory_mb=1024), make_spec(memory_mb=1024), None),
    (
        "RamFilter",
        make_host(memory_mb=1024, memory_mb_used=896),
        make_spec(memory_mb=512),
        "needs 512 MB, 128 MB free of 1024 x 1.0",
    ),
    ("RamFilter", make_host(memory_mb=1024, memory_mb_used=1024, ram_allocation_ratio=1.5), make_spec(), None),
    (
        "RamFilter",
        make_host(memory_mb=1024, ram_allocation_ratio=4.0),
        make_spec(memory_mb=2048),
        "needs 2048 MB, the host has 1024 MB in all",
    ),
    (
        "RamFilter",
        make_host(memory_mb=1024, reserved_host_memory_mb=768),
        make_spec(memory_mb=512),
        "needs 512 MB, 256 MB free of 1024 x 1.0",
    ),
    ("CoreFilter", make_host(vcpus=2, vcpus_used=7, cpu_allocation_ratio=4.0), make_spec(vcpus=1), None),
    (
        "CoreFilter",
        make_host(vcpus=2, vcpus_used=7, cpu_allocation_ratio=4.0),
        make_spec(vcpus=2),
        "needs 2 vCPUs, 1 free of 2 x 4.0",
    ),
    ("CoreFilter", make_host(vcpus=2), make_spec(vcpus=3), "needs 3 vCPUs, the host has 2 in all"),
    ("DiskFilter", make_host(local_gb=10), make_spec(disk_gb=10), None),
    (
        "DiskFilter",
        make_host(local_gb=10, local_gb_used=4),
        make_spec(disk_gb=7),
        "needs 7 GB of disk, 6 GB free of 10 x 1.0",
    ),
    ("DiskFilter", make_host(local_gb=10), make_spec(disk_gb=11), "needs 11 GB of disk, the host has 10 GB in all"),
    ("DiskFilter", make_host(local_gb=10, local_gb_used=10), make_spec(disk_gb=0), None),
    ("DiskFilter", make_host(local_gb=10, local_gb_used=99), make_spec(disk_gb=0), None),
    (
        "DiskFilter",
        make_host(local_gb=10, reserved_host_disk_mb=1536),
        make_spec(disk_gb=9),
        "needs 9 GB of disk, 8.5 GB free of 10 x 1.0",
    ),
    ("ImagePropertiesFilter", make_host(supported_instances=()), make_spec(), None),
    ("ImagePropertiesFilter", make_host(supported_instances=()), make_spec(properties={"os_distro": "x"}), None),
    (
        "ImagePropertiesFilter",
        make_host(supported_instances=()),
        make_spec(properties={"hw_vm_mode": "hvm"}),
        "the image needs any/any/hvm, the hypervisor supports nothing",
    ),
    ("ImagePropertiesFilter", make_host(supported_instances=KVM), make_spec(properties=AMD64), None),
    ("ImagePropertiesFilter", make_host(supported_instances=KVM), make_spec(properties={"img_hv_type": "KVM"}), None),
    (
        "ImagePropertiesFilter",
        make_host(supported_instances=KVM),
        make_spec(properties={"hw_architecture": "aarch64", "hw_vm_mode": "hvm"}),
        "the image needs aarch64/any/hvm, the hypervisor supports x86_64/kvm/hvm, i686/kvm/hvm",
    ),
    (
        "ImagePropertiesFilter",
        # each part is supported, but not by one and the same instance type
        make_host(supported_instances=(("x86_64", "kvm", "hvm"), ("aarch64", "qemu", "hvm"))),
        make_spec(properties={"architecture": "aarch64", "hypervisor_type": "kvm"}),
        "the image needs aarch64/kvm/any, the hypervisor supports x86_64/kvm/hvm, aarch64/qemu/hvm",
    ),
    ("DifferentHostFilter", make_host(), make_spec(scheduler_hints={"different_host": ALPHA}), None),
    (
        "DifferentHostFilter",
        make_host(instances=frozenset({ALPHA})),
        make_spec(scheduler_hints={"different_host": [ALPHA, BETA]}),
        "1 server(s) of the hint different_host are here",
    ),
    ("DifferentHostFilter", make_host(instances=frozenset({ALPHA})), make_spec(), None),
    ("SameHostFilter", make_host(instances=frozenset({ALPHA})), make_spec(scheduler_hints={"same_host": ALPHA}), None),
    (
        "SameHostFilter",
        make_host(instances=frozenset({ALPHA})),
        make_spec(scheduler_hints={"same_host": [ALPHA, BETA]}),
        None,
    ),
    (
        "SameHostFilter",
        make_host(),
        make_spec(scheduler_hints={"same_host": [ALPHA, BETA]}),
        "none of the 2 server(s) of the hint same_host is here",
    ),
    ("RetryFilter", make_host("one"), make_spec(ignore_hosts=("two",)), None),
    (
        "RetryFilter",
        make_host("one"),
        make_spec(ignore_hosts=("one", "two")),
        "already tried or to be avoided, one of 2 such host(s)",
    ),
    ("ForceHostFilter", make_host("one"), make_spec(force_host="one"), None),
    ("ForceHostFilter", make_host("one"), make_spec(force_host="two"), "host two was asked for"),
    (
        "ForceHostFilter",
        make_host("one", hypervisor_hostname="one-a"),
        make_spec(force_host="one", force_node="one-b"),
        "node one-b was asked for",
    ),
    ("ServerGroupAffinityFilter", make_host("one"), make_spec(), None),
    ("ServerGroupAffinityFilter", make_host("one"), make_spec(group=GroupRule("g", "affinity")), None),
    (
        "ServerGroupAffinityFilter",
        make_host("one"),
        make_spec(group=GroupRule("g", "affinity", hosts={"one": 1})),
        None,
    ),
    (
        "ServerGroupAffinityFilter",
        make_host("one"),
        make_spec(group=GroupRule("g", "affinity", hosts={"two": 2})),
        "its server group has 2 member(s) elsewhere and wants them together",
    ),
    ("ServerGroupAntiAffinityFilter", make_host("one"), make_spec(), None),
    ("ServerGroupAntiAffinityFilter", make_host("one"), make_spec(group=GroupRule("g", "anti-affinity")), None),
    (
        "ServerGroupAntiAffinityFilter",
        make_host("one"),
        make_spec(group=GroupRule("g", "anti-affinity", 2, {"one": 1, "two": 2})),
        None,
    ),
    (
        "ServerGroupAntiAffinityFilter",
        make_host("one"),
        make_spec(group=GroupRule("g", "anti-affinity", 2, {"one": 2})),
        "it has 2 member(s) of the server group, which allows 2 a host",
    ),
    (
        "ServerGroupAntiAffinityFilter",
        make_host("one"),
        make_spec(group=GroupRule("g", "soft-anti-affinity", 1, {"one": 2})),
        None,
    ),
    ("AggregateMultiTenancyIsolation", make_host(), make_spec(), None),
    ("AggregateMultiTenancyIsolation", make_host(metadata=(("ssd", "yes"),)), make_spec(), None),
    (
        "AggregateMultiTenancyIsolation",
        make_host(metadata=(("filter_tenant_id2", "other, project"),)),
        make_spec(),
        None,
    ),
    (
        "AggregateMultiTenancyIsolation",
        make_host(metadata=(("filter_tenant_id", "a,b"), ("filter_tenant_id7", "c"))),
        make_spec(),
        "its aggregates keep it for 3 other project(s)",
    ),
    ("AggregateInstanceExtraSpecsFilter", make_host(), make_spec(), None),
    ("AggregateInstanceExtraSpecsFilter", make_host(), _flavored({"hw:cpu_policy": "shared"}), None),
    ("AggregateInstanceExtraSpecsFilter", make_host(metadata=SSD), _flavored({SCOPED: "true"}), None),
    ("AggregateInstanceExtraSpecsFilter", make_host(metadata=SSD), _flavored({"ssd": "<or> a <or> fast"}), None),
    (
        "AggregateInstanceExtraSpecsFilter",
        make_host(metadata=SSD),
        _flavored({SCOPED: "slow"}),
        "its aggregates have ssd fast, true, the flavor wants 'slow'",
    ),
    (
        "AggregateInstanceExtraSpecsFilter",
        make_host(),
        _flavored({"ssd": "true"}),
        "no aggregate of it has ssd, the flavor wants 'true'",
    ),
]


@pytest.mark.parametrize("name, host, spec, reason", TABLE)
def test_verdict(name: str, host: HostState, spec: RequestSpec, reason: str | None) -> None:
    each = filters.REGISTRY[name]()
    assert each.passes(host, spec) == reason
    assert each.keep([host], spec) == ([host] if reason is None else [])


def test_every_filter_has_a_refusal_in_the_table() -> None:
    assert {name for name, _, _, reason in TABLE if reason} == set(filters.REGISTRY)


def test_a_filter_that_does_not_apply_would_have_passed() -> None:
    for name, _, spec, reason in TABLE:
        if not filters.REGISTRY[name]().applies(spec):
            assert reason is None, name


@pytest.mark.parametrize("hint", ["_nova_check_type", "_different_host", "_same_host"])
def test_internal_hints_of_a_client_change_nothing(hint: str) -> None:
    """SECURITY S20: no hint that begins with an underscore switches a filter off or on."""
    full = make_host(memory_mb=256, instances=frozenset({ALPHA}))
    honest, sly = make_spec(), make_spec(scheduler_hints={hint: ["rebuild", ALPHA]})
    for each in filters.load(filters.REGISTRY):
        assert each.applies(sly) == each.applies(honest)
        assert each.passes(full, sly) == each.passes(full, honest)


@pytest.mark.parametrize("value", [None, 7, {"a": 1}, [], [1, None]])
def test_a_hint_of_a_wrong_type_names_no_server(value: object) -> None:
    spec = make_spec(scheduler_hints={"same_host": value})
    assert not filters.REGISTRY["SameHostFilter"]().applies(spec)


def test_an_unknown_filter_stops_the_start_and_names_the_known() -> None:
    with pytest.raises(exception.ConfigInvalid, match="'RamFliter'.*RamFilter"):
        filters.load(["RamFliter"])


def test_what_the_api_promised_is_always_on() -> None:
    assert {each.name for each in filters.load([])} == {
        "ForceHostFilter", "RetryFilter", "ServerGroupAffinityFilter", "ServerGroupAntiAffinityFilter",
    }  # fmt: skip


def test_filters_run_cheapest_first_whatever_order_is_configured() -> None:
    names = sorted(filters.REGISTRY)
    assert [each.name for each in filters.load(names)] == [each.name for each in filters.load(reversed(names))]


@pytest.mark.parametrize(
    ("value", "wanted", "fits"),
    [
        ("ssd", "ssd", True), ("ssd", "SSD", False), ("4", "= 2", True), ("4", "= 5", False), ("4", "== 4.0", True),
        ("4", "!= 4", False), ("4", "<= 4", True), ("many", ">= 1", False), ("fast ssd", "<in> ssd", True),
        ("aes mmx", "<all-in> mmx aes", True), ("aes mmx", "<all-in> sse aes", False), ("b", "<or> a <or> b", True),
        ("c", "<or> a <or> b", False), ("<or>", "<or> a <or> b", False), ("12", "s== 12", True), ("2", "s>= 12", True),
        ("a", "s!= a", False), ("", "", True),
    ],
)  # fmt: skip
def test_operators_of_extra_specs(value: str, wanted: str, fits: bool) -> None:
    assert matches(value, wanted) is fits
