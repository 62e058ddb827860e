"""RetryFilter: hosts that refused or lost this very operation before are not asked again."""

from __future__ import annotations

from collections.abc import Sequence

from nova_lite.objects import RequestSpec
from nova_lite.scheduler.base import Filter
from nova_lite.scheduler.host_state import HostState


class RetryFilter(Filter):
    name = "RetryFilter"
    cost = 5

    def applies(self, spec: RequestSpec) -> bool:
        return bool(spec.ignore_hosts)

    def passes(self, host: HostState, spec: RequestSpec) -> str | None:
        if host.host not in spec.ignore_hosts:
            return None
        return f"already tried or to be avoided, one of {len(spec.ignore_hosts)} such host(s)"

    def keep(self, hosts: Sequence[HostState], spec: RequestSpec) -> list[HostState]:
        ignored = frozenset(spec.ignore_hosts)
        return [host for host in hosts if host.host not in ignored]
