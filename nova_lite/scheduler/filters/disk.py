"""DiskFilter: local disk free after claims, with the host's ratio; a volume-backed server needs none."""

from __future__ import annotations

from collections.abc import Sequence

from nova_lite.objects import RequestSpec
from nova_lite.scheduler.base import ResourceFilter
from nova_lite.scheduler.host_state import HostState


class DiskFilter(ResourceFilter):
    name = "DiskFilter"
    unit = "GB"
    cost = 30

    def applies(self, spec: RequestSpec) -> bool:
        return spec.disk_gb > 0

    def need(self, spec: RequestSpec) -> int:
        return spec.disk_gb

    def available(self, host: HostState) -> float:
        return min(host.free_disk_gb, host.local_gb)

    def passes(self, host: HostState, spec: RequestSpec) -> str | None:
        need = spec.disk_gb
        if need <= 0:
            return None
        if need > host.local_gb:
            return f"needs {need} GB of disk, the host has {host.local_gb} GB in all"
        if need > host.free_disk_gb:
            return f"needs {need} GB of disk, {host.free_disk_gb:g} GB free of {host.local_gb} x {host.disk_ratio}"
        return None

    def keep(self, hosts: Sequence[HostState], spec: RequestSpec) -> list[HostState]:
        need = spec.disk_gb
        if need <= 0:
            return list(hosts)
        return [host for host in hosts if need <= host.free_disk_gb and need <= host.local_gb]
