"""ComputeFilter: the host's compute service is up, enabled and not forced down."""

from __future__ import annotations

from collections.abc import Sequence

from nova_lite.objects import RequestSpec
from nova_lite.scheduler.base import Filter
from nova_lite.scheduler.host_state import HostState


class ComputeFilter(Filter):
    name = "ComputeFilter"
    cost = 10

    def passes(self, host: HostState, spec: RequestSpec) -> str | None:
        return host.unusable

    def keep(self, hosts: Sequence[HostState], spec: RequestSpec) -> list[HostState]:
        return [host for host in hosts if host.unusable is None]
