"""ForceHostFilter: the administrator named the host, the node or both (``az:host:node``, or the fields of 2.74).

The other filters run all the same: a forced server still needs a host that is up and has room.
"""

from __future__ import annotations

from collections.abc import Sequence

from nova_lite.objects import RequestSpec
from nova_lite.scheduler.base import Filter
from nova_lite.scheduler.host_state import HostState


class ForceHostFilter(Filter):
    name = "ForceHostFilter"
    cost = 0

    def applies(self, spec: RequestSpec) -> bool:
        return spec.force_host is not None or spec.force_node is not None

    def passes(self, host: HostState, spec: RequestSpec) -> str | None:
        if spec.force_host is not None and host.host != spec.force_host:
            return f"host {spec.force_host} was asked for"
        if spec.force_node is not None and host.node != spec.force_node:
            return f"node {spec.force_node} was asked for"
        return None

    def keep(self, hosts: Sequence[HostState], spec: RequestSpec) -> list[HostState]:
        kept = list(hosts)
        if spec.force_host is not None:
            kept = [host for host in kept if host.host == spec.force_host]
        if spec.force_node is not None:
            kept = [host for host in kept if host.node == spec.force_node]
        return kept
