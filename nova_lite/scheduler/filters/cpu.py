"""CoreFilter: vCPUs free after claims, with the host's ratio; no server gets more vCPUs than the host has CPUs."""

from __future__ import annotations

from collections.abc import Sequence

from nova_lite.objects import RequestSpec
from nova_lite.scheduler.base import ResourceFilter
from nova_lite.scheduler.host_state import HostState


class CoreFilter(ResourceFilter):
    name = "CoreFilter"
    unit = "vCPUs"
    cost = 25

    def need(self, spec: RequestSpec) -> int:
        return spec.vcpus

    def available(self, host: HostState) -> float:
        return min(host.free_vcpus, host.vcpus)

    def passes(self, host: HostState, spec: RequestSpec) -> str | None:
        need = spec.vcpus
        if need > host.vcpus:
            return f"needs {need} vCPUs, the host has {host.vcpus} in all"
        if need > host.free_vcpus:
            return f"needs {need} vCPUs, {host.free_vcpus:g} free of {host.vcpus} x {host.cpu_ratio}"
        return None

    def keep(self, hosts: Sequence[HostState], spec: RequestSpec) -> list[HostState]:
        need = spec.vcpus
        return [host for host in hosts if need <= host.free_vcpus and need <= host.vcpus]
