"""Snapshot: all hosts at one moment, in the order of their names, with what this process has sold of them since."""

from __future__ import annotations

import datetime
from collections import defaultdict
from collections.abc import Iterable, Mapping

from nova_lite.objects import Aggregate, ComputeNode, RequestSpec, Service
from nova_lite.scheduler.host_state import HostState, make, why_unusable


class Snapshot:
    """Hosts as they were at ``taken_at`` (monotonic seconds). Only :meth:`consume` changes it, one host at a time."""

    def __init__(self, hosts: Iterable[HostState], taken_at: float = 0.0) -> None:
        self.hosts: list[HostState] = sorted(hosts, key=lambda host: (host.host, host.node))
        self.taken_at = taken_at
        self._position = {host.node_uuid: index for index, host in enumerate(self.hosts)}

    def get(self, node_uuid: str) -> HostState | None:
        index = self._position.get(node_uuid)
        return None if index is None else self.hosts[index]

    def consume(self, node_uuid: str, spec: RequestSpec) -> None:
        """Count the spec's server against a node, so that the next decision does not sell the same room."""
        index = self._position.get(node_uuid)
        if index is not None:
            self.hosts[index] = self.hosts[index].consume(spec)

    def with_instances(self, nodes_of: Mapping[str, Iterable[str]]) -> list[HostState]:
        """The hosts, each knowing which of these servers it has; ``nodes_of`` maps server uuid to node uuids."""
        hosts = list(self.hosts)
        here: defaultdict[int, set[str]] = defaultdict(set)
        for instance_uuid, node_uuids in nodes_of.items():
            for node_uuid in node_uuids:
                if node_uuid in self._position:
                    here[self._position[node_uuid]].add(instance_uuid)
        for index, instances in here.items():
            hosts[index] = hosts[index].holding(frozenset(instances))
        return hosts


def build(
    nodes: Iterable[ComputeNode],
    services: Iterable[Service],
    zones: Mapping[str, str],
    default_zone: str,
    now: datetime.datetime,
    down_after_s: float,
    taken_at: float,
    aggregates: Iterable[Aggregate] = (),
) -> Snapshot:
    """A snapshot of database objects; ``services`` are the compute services."""
    metadata = _metadata_of_hosts(aggregates)
    unusable = {service.host: why_unusable(service, now, down_after_s) for service in services}
    missing = why_unusable(None, now, down_after_s)
    hosts = (
        make(
            node,
            zones.get(node.host, default_zone),
            unusable.get(node.host, missing),
            metadata.get(node.host, ()),
        )
        for node in nodes
    )
    return Snapshot(hosts, taken_at)


def _metadata_of_hosts(aggregates: Iterable[Aggregate]) -> dict[str, tuple[tuple[str, str], ...]]:
    """host -> every pair of key and value that one of the host's aggregates has."""
    found: defaultdict[str, set[tuple[str, str]]] = defaultdict(set)
    for aggregate in aggregates:
        for host in aggregate.hosts:
            found[host].update(aggregate.metadata.items())
    return {host: tuple(sorted(pairs)) for host, pairs in found.items()}
