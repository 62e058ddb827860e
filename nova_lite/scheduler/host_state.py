"""HostState: what the scheduler knows of one node, frozen and worked out once per snapshot.

Everything a filter asks on the hot path is a plain field. Memory in MiB, disk in GiB. Limits are ``(total -
reserved) x ratio``, the same sum as the claim's in the database: the claim is right where the two disagree.
"""

from __future__ import annotations

import datetime
from typing import NamedTuple

from nova_lite.objects import ComputeNode, RequestSpec, Service

NOBODY: frozenset[str] = frozenset()


class HostState(NamedTuple):
    """One node. ``unusable`` is None for a host that is up and enabled, else why it may take nothing.

    ``instances`` holds only servers that the request's hints name, and only where a filter needs them. ``metadata`` is
    that of the host's aggregates as pairs; a key has a pair for each value that one of them has.
    """

    host: str
    node: str
    node_uuid: str
    generation: int
    availability_zone: str
    unusable: str | None
    vcpus: int
    memory_mb: int
    local_gb: int
    cpu_ratio: float
    ram_ratio: float
    disk_ratio: float
    free_vcpus: float
    free_memory_mb: float
    free_disk_gb: float
    build_failures: int
    supported_instances: tuple[tuple[str, str, str], ...]
    instances: frozenset[str] = NOBODY
    metadata: tuple[tuple[str, str], ...] = ()

    def consume(self, spec: RequestSpec) -> HostState:
        """This host with the spec's server on it as well."""
        return self._replace(
            free_vcpus=self.free_vcpus - spec.vcpus,
            free_memory_mb=self.free_memory_mb - spec.memory_mb,
            free_disk_gb=self.free_disk_gb - spec.disk_gb,
            generation=self.generation + 1,
        )

    def holding(self, instances: frozenset[str]) -> HostState:
        """This host with the named servers known to be on it."""
        return self._replace(instances=instances)


def make(
    node: ComputeNode, zone: str, unusable: str | None, metadata: tuple[tuple[str, str], ...] = ()
) -> HostState:
    """A node of the database as the scheduler sees it."""
    vcpu_limit = (node.vcpus - node.reserved_host_cpus) * node.cpu_allocation_ratio
    memory_limit_mb = (node.memory_mb - node.reserved_host_memory_mb) * node.ram_allocation_ratio
    disk_limit_gb = (node.local_gb - node.reserved_host_disk_mb / 1024) * node.disk_allocation_ratio
    return HostState(
        host=node.host,
        node=node.hypervisor_hostname,
        node_uuid=node.uuid,
        generation=node.generation,
        availability_zone=zone,
        unusable=unusable,
        vcpus=node.vcpus,
        memory_mb=node.memory_mb,
        local_gb=node.local_gb,
        cpu_ratio=node.cpu_allocation_ratio,
        ram_ratio=node.ram_allocation_ratio,
        disk_ratio=node.disk_allocation_ratio,
        free_vcpus=vcpu_limit - node.vcpus_used,
        free_memory_mb=memory_limit_mb - node.memory_mb_used,
        free_disk_gb=disk_limit_gb - node.local_gb_used,
        build_failures=node.build_failures,
        supported_instances=node.supported_instances,
        metadata=metadata,
    )


def why_unusable(service: Service | None, now: datetime.datetime, down_after_s: float) -> str | None:
    """None for a compute service that is up and enabled at ``now`` (naive UTC), else the sentence why not."""
    if service is None:
        return "has no compute service"
    if service.forced_down:
        return "its compute service is forced down"
    if service.disabled:
        return f"its compute service is disabled: {service.disabled_reason or 'no reason given'}"
    if service.last_seen_at is None:
        return "its compute service never reported"
    silent_s = (now - service.last_seen_at).total_seconds()
    if silent_s > down_after_s:
        return f"its compute service is down: not heard for {silent_s:.0f} s, {down_after_s:g} s allowed"
    return None
