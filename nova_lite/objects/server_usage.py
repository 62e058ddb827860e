"""ServerUsage: a server that ran in some time, live or deleted since."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

from nova_lite.objects.flavor import Flavor


@dataclass(frozen=True)
class ServerUsage:
    """Times are naive UTC; ``ended_at`` None: it still runs."""

    uuid: str
    name: str
    project_id: str
    flavor: Flavor
    started_at: datetime.datetime
    ended_at: datetime.datetime | None
    vm_state: str

    def hours(self, begin: datetime.datetime, end: datetime.datetime) -> float:
        """How long it ran between two moments."""
        stop = end if self.ended_at is None else min(end, self.ended_at)
        return max(0.0, (stop - max(begin, self.started_at)).total_seconds() / 3600.0)
