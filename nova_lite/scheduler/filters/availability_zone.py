"""AvailabilityZoneFilter: the host is in the zone that was asked for; no zone asked is any zone."""

from __future__ import annotations

from collections.abc import Sequence

from nova_lite.objects import RequestSpec
from nova_lite.scheduler.base import Filter
from nova_lite.scheduler.host_state import HostState


class AvailabilityZoneFilter(Filter):
    name = "AvailabilityZoneFilter"
    cost = 15

    def applies(self, spec: RequestSpec) -> bool:
        return bool(spec.availability_zone)

    def passes(self, host: HostState, spec: RequestSpec) -> str | None:
        if not spec.availability_zone or host.availability_zone == spec.availability_zone:
            return None
        return f"is in availability zone {host.availability_zone}, {spec.availability_zone} was asked for"

    def keep(self, hosts: Sequence[HostState], spec: RequestSpec) -> list[HostState]:
        zone = spec.availability_zone
        if not zone:
            return list(hosts)
        return [host for host in hosts if host.availability_zone == zone]
