"""RamFilter: memory free after claims, with the host's ratio; no server gets more than the host really has."""

from __future__ import annotations

from collections.abc import Sequence

from nova_lite.objects import RequestSpec
from nova_lite.scheduler.base import ResourceFilter
from nova_lite.scheduler.host_state import HostState


class RamFilter(ResourceFilter):
    name = "RamFilter"
    unit = "MB"
    cost = 20

    def need(self, spec: RequestSpec) -> int:
        return spec.memory_mb

    def available(self, host: HostState) -> float:
        return min(host.free_memory_mb, host.memory_mb)

    def passes(self, host: HostState, spec: RequestSpec) -> str | None:
        need = spec.memory_mb
        if need > host.memory_mb:
            return f"needs {need} MB, the host has {host.memory_mb} MB in all"
        if need > host.free_memory_mb:
            return f"needs {need} MB, {host.free_memory_mb:g} MB free of {host.memory_mb} x {host.ram_ratio}"
        return None

    def keep(self, hosts: Sequence[HostState], spec: RequestSpec) -> list[HostState]:
        need = spec.memory_mb
        return [host for host in hosts if need <= host.free_memory_mb and need <= host.memory_mb]
