"""Weighers of soft server groups: members together, or members apart, as far as the other weights allow."""

from __future__ import annotations

from collections.abc import Sequence

from nova_lite.objects import GroupPolicy, RequestSpec
from nova_lite.scheduler.base import Weigher
from nova_lite.scheduler.host_state import HostState


class ServerGroupSoftAffinityWeigher(Weigher):
    name = "ServerGroupSoftAffinityWeigher"
    option = "soft_affinity_weight_multiplier"

    def applies(self, spec: RequestSpec) -> bool:
        return spec.group is not None and spec.group.policy == GroupPolicy.SOFT_AFFINITY

    def raws(self, hosts: Sequence[HostState], spec: RequestSpec) -> list[float]:
        return [float(number) for number in _members(hosts, spec)]


class ServerGroupSoftAntiAffinityWeigher(Weigher):
    name = "ServerGroupSoftAntiAffinityWeigher"
    option = "soft_anti_affinity_weight_multiplier"

    def applies(self, spec: RequestSpec) -> bool:
        return spec.group is not None and spec.group.policy == GroupPolicy.SOFT_ANTI_AFFINITY

    def raws(self, hosts: Sequence[HostState], spec: RequestSpec) -> list[float]:
        return [-float(number) for number in _members(hosts, spec)]


def _members(hosts: Sequence[HostState], spec: RequestSpec) -> list[int]:
    """How many other members of the spec's group each host has."""
    here = spec.group.hosts if spec.group is not None else {}
    return [here.get(host.host, 0) for host in hosts]
