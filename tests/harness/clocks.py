"""Clocks that are wrong: a daemon's own, beside a database whose clock is right."""

from __future__ import annotations

import contextlib
import datetime
import time
from collections.abc import Iterator

from nova_lite import clock
from nova_lite.db import clock as database_clock
from nova_lite.db import session


class _Ahead:
    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def time(self) -> float:
        return time.time() + self._seconds

    def monotonic(self) -> float:
        return time.monotonic()


@contextlib.contextmanager
def ahead(hours: float) -> Iterator[None]:
    """This process's clock is that much ahead of the database's, which is on a machine of its own."""
    with _clocks(3600 * hours, 0):
        yield


@contextlib.contextmanager
def later(hours: float) -> Iterator[None]:
    """So much later, by everybody's clock; nobody was there to see it leap."""
    with _clocks(3600 * hours, 3600 * hours):
        yield


@contextlib.contextmanager
def _clocks(own_s: float, database_s: float) -> Iterator[None]:
    """By how many seconds the two are wrong, whichever database it is."""

    def told() -> datetime.datetime:
        right = datetime.datetime.fromtimestamp(time.time(), datetime.UTC).replace(tzinfo=None)
        return right + datetime.timedelta(seconds=database_s)

    clock.use(_Ahead(own_s))
    database_clock._current = session.database(), database_clock.DatabaseClock(told, 0.0)
    try:
        yield
    finally:
        clock.use(time)
        database_clock._current = None
