"""The weighers, one file each, and the sum that ranks hosts.

Each weigher's raw figures are brought to 0..1 over the hosts at hand (lowest 0, highest 1, all alike 0), multiplied and
added, as Nova does it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from nova_lite.objects import RequestSpec
from nova_lite.scheduler.base import Weigher
from nova_lite.scheduler.host_state import HostState
from nova_lite.scheduler.weighers.build_failure import BuildFailureWeigher
from nova_lite.scheduler.weighers.cpu import CPUWeigher
from nova_lite.scheduler.weighers.disk import DiskWeigher
from nova_lite.scheduler.weighers.ram import RAMWeigher
from nova_lite.scheduler.weighers.server_group import ServerGroupSoftAffinityWeigher, ServerGroupSoftAntiAffinityWeigher

REGISTRY: tuple[type[Weigher], ...] = (
    RAMWeigher,
    CPUWeigher,
    DiskWeigher,
    BuildFailureWeigher,
    ServerGroupSoftAffinityWeigher,
    ServerGroupSoftAntiAffinityWeigher,
)


def load(multipliers: Mapping[str, float]) -> tuple[Weigher, ...]:
    """The weighers whose multiplier, found under their option's name, is not zero."""
    return tuple(each(multipliers[each.option]) for each in REGISTRY if multipliers[each.option])


def weigh(hosts: Sequence[HostState], weighers: Sequence[Weigher], spec: RequestSpec) -> list[float]:
    """The weight of each host for a spec's server, in their order; higher is better."""
    totals = [0.0] * len(hosts)
    for weigher in weighers if hosts else ():
        if not weigher.applies(spec):
            continue
        raws = weigher.raws(hosts, spec)
        low, high = min(raws), max(raws)
        if low == high:
            continue
        scale = weigher.multiplier / (high - low)
        totals = [total + (raw - low) * scale for total, raw in zip(totals, raws, strict=True)]
    return totals
