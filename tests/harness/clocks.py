"""Clocks that are wrong: a daemon's own, beside a database whose clock is right."""

from __future__ import annotations

import contextlib
import datetime
import time
from collections.abc import Iterator

from nova_lite import clock
from nova_lite.db import clock as database_clock


class _Ahead:
    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def time(self) -> float:
        return time.time() + self._seconds

    def monotonic(self) -> float:
        return time.monotonic()


def _right() -> datetime.datetime:
    return datetime.datetime.fromtimestamp(time.time(), datetime.UTC).replace(tzinfo=None)


@contextlib.contextmanager
def ahead(hours: float) -> Iterator[None]:
    """This process's clock is that much ahead of the database's, which is on a machine of its own."""
    database_clock.now()
    assert database_clock._current is not None
    asked, told = database_clock._current[1], database_clock._current[1]._ask
    asked._ask = _right
    clock.use(_Ahead(3600 * hours))
    try:
        yield
    finally:
        clock.use(time)
        asked._ask = told


@contextlib.contextmanager
def later(hours: float) -> Iterator[None]:
    """So much later, by everybody's clock; nobody was there to see it leap."""
    clock.use(_Ahead(3600 * hours))
    database_clock._current = None
    try:
        yield
    finally:
        clock.use(time)
        database_clock._current = None
