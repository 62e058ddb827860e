"""Which daemons count as alive: a rule of heartbeats, read by the API, the scheduler and the sweeper.

No two hosts' clocks are compared. A heartbeat is a count in the database that goes on; an observer says *down* of one
that it has watched standing still for so long by its own monotonic clock, and *up* of one that it saw going on. Only
what it has not watched so long it judges by the database's clock, which wrote the heartbeat, too.
"""

from __future__ import annotations

import datetime
from collections.abc import Collection
from dataclasses import dataclass

from nova_lite.clock import monotonic
from nova_lite.db import clock
from nova_lite.db.api import services
from nova_lite.objects import Service

COMPUTE = "nova-lite-compute"


@dataclass(frozen=True)
class _Watched:
    """A heartbeat's count, since when this observer knows it, when it last looked, and when it saw it go on."""

    beat: tuple[object, ...]
    since: float
    looked: float
    went_on: float | None


class Observer:
    """What one process has seen of heartbeats; threads may share it."""

    def __init__(self) -> None:
        self._seen: dict[str, _Watched] = {}

    def is_up(self, service: Service, down_s: float, now: datetime.datetime | None = None) -> bool:
        """See :func:`is_up`; ``now`` is the database's time, asked for where nobody gives it."""
        if service.forced_down or service.last_seen_at is None:
            return False
        at = monotonic()
        watched = self._look(service, at, down_s)
        if at - watched.since >= down_s:
            return False
        if watched.went_on is not None and at - watched.went_on < down_s:
            return True
        age = (now or clock.now()) - service.last_seen_at
        return age.total_seconds() <= down_s

    def forget(self, but: Collection[str]) -> None:
        """Of services that are gone nothing is kept."""
        for uuid in self._seen.keys() - set(but):
            self._seen.pop(uuid, None)

    def _look(self, service: Service, at: float, down_s: float) -> _Watched:
        beat = (service.epoch, service.beats, service.last_seen_at)
        last = self._seen.get(service.uuid)
        if last is None:
            watched = _Watched(beat, at, at, None)
        elif last.beat == beat:
            watched = _Watched(beat, last.since, at, last.went_on)
        else:
            # Who looks seldom knows that it went on, but not when.
            watched = _Watched(beat, at, at, at if at - last.looked < down_s else None)
        self._seen[service.uuid] = watched
        return watched


_observer = Observer()


def is_up(service: Service, down_s: float, now: datetime.datetime | None = None) -> bool:
    """A daemon is up while its heartbeat goes on at least every ``down_s`` seconds and nobody forced it down."""
    return _observer.is_up(service, down_s, now)


def as_observed(service: Service, down_s: float, now: datetime.datetime) -> Service:
    """The service with a last heartbeat by which whoever knows only ``now`` comes to the observer's judgement."""
    age = (now - service.last_seen_at).total_seconds() if service.last_seen_at is not None else None
    if age is None or service.forced_down or is_up(service, down_s, now) == (age <= down_s):
        return service
    seen = now if age > down_s else now - datetime.timedelta(seconds=down_s + 1)
    return service.replace(last_seen_at=seen)


def dead_hosts(down_s: float) -> frozenset[str]:
    """Compute hosts that are down."""
    found = services.list()
    _observer.forget([service.uuid for service in found])
    return frozenset(service.host for service in found if service.binary == COMPUTE and not is_up(service, down_s))
