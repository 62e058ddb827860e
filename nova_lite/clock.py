"""The one place that asks what time it is."""

from __future__ import annotations

import datetime
import time
from typing import Protocol


class Source(Protocol):
    """What knows the time: the standard library, or a simulator whose hours take no time."""

    def time(self) -> float: ...

    def monotonic(self) -> float: ...


_source: Source = time


def use(source: Source) -> None:
    """Ask another source from now on; only a process that simulates does."""
    global _source
    _source = source


def wall() -> float:
    """Seconds since 1970, for what is compared between machines; it jumps when somebody sets the clock."""
    return _source.time()


def utcnow() -> datetime.datetime:
    """Now as naive UTC, the form all stored and travelling times have."""
    return datetime.datetime.fromtimestamp(wall(), datetime.UTC).replace(tzinfo=None)


def monotonic() -> float:
    """Seconds that never jump, for leases, deadlines and durations within one process."""
    return _source.monotonic()


class Deadline:
    """A moment some seconds ahead on the monotonic clock."""

    def __init__(self, seconds: float) -> None:
        self._end = monotonic() + seconds

    def left(self) -> float:
        """Seconds that remain, never below zero."""
        return max(0.0, self._end - monotonic())

    def passed(self) -> bool:
        return self.left() == 0.0
