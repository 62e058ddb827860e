"""The one place that asks what time it is."""

from __future__ import annotations

import datetime
import time


def utcnow() -> datetime.datetime:
    """Now as naive UTC, the form all stored and travelling times have."""
    return datetime.datetime.now(datetime.UTC).replace(tzinfo=None)


def monotonic() -> float:
    """Seconds that never jump, for leases, deadlines and durations within one process."""
    return time.monotonic()


class Deadline:
    """A moment some seconds ahead on the monotonic clock."""

    def __init__(self, seconds: float) -> None:
        self._end = monotonic() + seconds

    def left(self) -> float:
        """Seconds that remain, never below zero."""
        return max(0.0, self._end - monotonic())

    def passed(self) -> bool:
        return self.left() == 0.0
