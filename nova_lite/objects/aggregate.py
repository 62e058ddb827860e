"""Aggregate: a named set of hosts with metadata; one with a zone in it makes its hosts an availability zone."""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from dataclasses import dataclass, field

from nova_lite.objects.base import TravellingObject

ZONE = "availability_zone"


@dataclass(frozen=True)
class Aggregate(TravellingObject):
    """Times are naive UTC; ``hosts`` in the order of their names."""

    id: int
    uuid: str
    name: str
    metadata: dict[str, str] = field(default_factory=dict)
    hosts: tuple[str, ...] = ()
    created_at: datetime.datetime | None = None
    updated_at: datetime.datetime | None = None

    @property
    def availability_zone(self) -> str | None:
        return self.metadata.get(ZONE)


def zone_of_hosts(aggregates: Iterable[Aggregate]) -> dict[str, str]:
    """host -> zone, for the hosts that are in one; of several the first aggregate's."""
    zones: dict[str, str] = {}
    for aggregate in aggregates:
        if aggregate.availability_zone:
            for host in aggregate.hosts:
                zones.setdefault(host, aggregate.availability_zone)
    return zones
