"""SameHostFilter: hint ``same_host``, beside any of the named servers."""

from __future__ import annotations

from nova_lite.objects import RequestSpec
from nova_lite.scheduler import hints
from nova_lite.scheduler.base import Filter
from nova_lite.scheduler.host_state import HostState

HINT = "same_host"


class SameHostFilter(Filter):
    name = "SameHostFilter"
    cost = 45

    def applies(self, spec: RequestSpec) -> bool:
        return bool(hints.servers(spec, HINT))

    def passes(self, host: HostState, spec: RequestSpec) -> str | None:
        named = hints.servers(spec, HINT)
        if not named or not host.instances.isdisjoint(named):
            return None
        return f"none of the {len(named)} server(s) of the hint {HINT} is here"
