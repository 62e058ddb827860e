"""DifferentHostFilter: hint ``different_host``, apart from every named server."""

from __future__ import annotations

from nova_lite.objects import RequestSpec
from nova_lite.scheduler import hints
from nova_lite.scheduler.base import Filter
from nova_lite.scheduler.host_state import HostState

HINT = "different_host"


class DifferentHostFilter(Filter):
    name = "DifferentHostFilter"
    cost = 45

    def applies(self, spec: RequestSpec) -> bool:
        return bool(hints.servers(spec, HINT))

    def passes(self, host: HostState, spec: RequestSpec) -> str | None:
        if not host.instances:
            return None
        here = host.instances.intersection(hints.servers(spec, HINT))
        return f"{len(here)} server(s) of the hint {HINT} are here" if here else None
