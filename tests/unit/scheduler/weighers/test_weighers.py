"""Weights: normalised to 0..1 per weigher, multiplied, added."""

from __future__ import annotations

import pytest

from nova_lite.objects import GroupRule, RequestSpec
from nova_lite.scheduler import weighers
from tests.harness.builders import make_host, make_spec
from tests.harness.scheduler import MULTIPLIERS

OFF = dict.fromkeys(MULTIPLIERS, 0.0)


def _weigh(hosts: list, spec: RequestSpec | None = None, **multipliers: float) -> list[float]:
    return weighers.weigh(hosts, weighers.load({**OFF, **multipliers}), spec or make_spec())


def test_each_weigher_ranks_by_its_own_figure() -> None:
    roomy = make_host("roomy")
    for option, values in (
        ("ram_weight_multiplier", {"memory_mb_used": 1024}),
        ("cpu_weight_multiplier", {"vcpus_used": 3}),
        ("disk_weight_multiplier", {"local_gb_used": 9}),
        ("build_failure_weight_multiplier", {"build_failures": 2}),
    ):
        assert _weigh([roomy, make_host("busy", **values)], **{option: 2.0}) == [2.0, 0.0]


def test_a_negative_multiplier_stacks() -> None:
    weights = _weigh([make_host("empty"), make_host("full", memory_mb_used=4096)], ram_weight_multiplier=-1.0)
    assert weights[1] > weights[0]


def test_figures_between_are_in_proportion() -> None:
    hosts = [make_host(str(used), memory_mb=4096, memory_mb_used=used) for used in (0, 1024, 4096)]
    assert _weigh(hosts, ram_weight_multiplier=1.0) == [1.0, 0.75, 0.0]


def test_hosts_that_are_alike_weigh_nothing() -> None:
    assert _weigh([make_host("a"), make_host("b")], **MULTIPLIERS) == [0.0, 0.0]


def test_no_hosts_no_weights() -> None:
    assert _weigh([], **MULTIPLIERS) == []


def test_one_failed_build_outweighs_all_room() -> None:
    failed = make_host("failed", build_failures=1)
    full = make_host("full", memory_mb_used=32000, vcpus_used=60, local_gb_used=99)
    weights = _weigh([failed, full], **MULTIPLIERS)
    assert weights[1] > weights[0]


def test_a_weigher_of_weight_zero_is_not_loaded() -> None:
    assert [each.name for each in weighers.load({**OFF, "cpu_weight_multiplier": 1.0})] == ["CPUWeigher"]


@pytest.mark.parametrize(
    ("policy", "weights"),
    [("soft-affinity", [0.5, 0.0, 1.0]), ("soft-anti-affinity", [0.5, 1.0, 0.0]), ("anti-affinity", [0.0, 0.0, 0.0])],
)
def test_members_of_a_soft_group_draw_or_push(policy: str, weights: list[float]) -> None:
    hosts = [make_host(name) for name in ("one", "none", "two")]
    spec = make_spec(group=GroupRule("g", policy, hosts={"one": 1, "two": 2, "elsewhere": 9}))
    options = {"soft_affinity_weight_multiplier": 1.0, "soft_anti_affinity_weight_multiplier": 1.0}
    assert _weigh(hosts, spec, **options) == weights
    assert _weigh(hosts, **options) == [0.0, 0.0, 0.0]
