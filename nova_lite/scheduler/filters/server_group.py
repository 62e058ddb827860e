"""Filters of server groups: the policy's word on each host. The claim looks again whether it still holds."""

from __future__ import annotations

from nova_lite.objects import GroupPolicy, RequestSpec
from nova_lite.scheduler.base import Filter
from nova_lite.scheduler.host_state import HostState


class ServerGroupAntiAffinityFilter(Filter):
    """No host with as many members already as the group allows a host (one, unless its rule says more)."""

    name = "ServerGroupAntiAffinityFilter"
    cost = 44

    def applies(self, spec: RequestSpec) -> bool:
        return spec.group is not None and spec.group.policy == GroupPolicy.ANTI_AFFINITY

    def passes(self, host: HostState, spec: RequestSpec) -> str | None:
        return spec.group.refusal(host.host) if spec.group is not None else None


class ServerGroupAffinityFilter(Filter):
    """Only the hosts that have members already; any host for the first one."""

    name = "ServerGroupAffinityFilter"
    cost = 44

    def applies(self, spec: RequestSpec) -> bool:
        return spec.group is not None and spec.group.policy == GroupPolicy.AFFINITY

    def passes(self, host: HostState, spec: RequestSpec) -> str | None:
        return spec.group.refusal(host.host) if spec.group is not None else None
