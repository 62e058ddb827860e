"""Which daemons count as alive: a rule of heartbeats, read by the API, the scheduler and the sweeper."""

from __future__ import annotations

import datetime

from nova_lite.clock import utcnow
from nova_lite.db.api import services
from nova_lite.objects import Service

COMPUTE = "nova-lite-compute"


def is_up(service: Service, down_s: float, now: datetime.datetime | None = None) -> bool:
    """A daemon is up while its last heartbeat is younger than ``down_s`` seconds and nobody forced it down."""
    if service.forced_down or service.last_seen_at is None:
        return False
    return ((now or utcnow()) - service.last_seen_at).total_seconds() <= down_s


def dead_hosts(down_s: float) -> frozenset[str]:
    """Compute hosts that are down."""
    return frozenset(service.host for service in services.list(binary=COMPUTE) if not is_up(service, down_s))
