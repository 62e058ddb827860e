"""The database's clock: the one clock by which all daemons write and judge leases, heartbeats and deadlines.

The clocks of two hosts are never compared: whoever writes a time that another will judge, and whoever judges one, asks
here. A process asks the database every few seconds and counts on with its monotonic clock between, so that nobody who
sets the clock of a daemon's machine is noticed. A step of the database's own clock is: for a while, what runs out is
judged as if the clock had not jumped, until every holder has renewed what it holds by the new time.

SQLite's clock is its machine's.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import TextClause, text

from nova_lite.clock import monotonic, utcnow
from nova_lite.db import session

# Seconds between two looks at the database's clock.
FRESH_S = 5.0
# A difference beyond that, in seconds, is no delay of an answer but a step of the clock.
STEP_S = 1.0
# Seconds in which everybody has seen a step and renewed what is alive: several heartbeats.
GRACE_S = 20.0

_QUERIES = {
    "mysql": text("SELECT UTC_TIMESTAMP(6)"),
    "postgresql": text("SELECT clock_timestamp() AT TIME ZONE 'UTC'"),
}
_NONE = datetime.timedelta(0)


@dataclass(frozen=True)
class _Look:
    """What the clock said at a moment of this process's monotonic clock, and how long it took to say so (seconds)."""

    said: datetime.datetime
    at: float
    took: float

    def later(self, at: float) -> datetime.datetime:
        return self.said + datetime.timedelta(seconds=at - self.at)


class DatabaseClock:
    """``ask`` reads the clock; its answer is good for ``fresh_s`` seconds. Threads may share one."""

    def __init__(self, ask: Callable[[], datetime.datetime], fresh_s: float = FRESH_S) -> None:
        self._ask = ask
        self._fresh_s = fresh_s
        self._last: _Look | None = None
        # By how much the clock went forward in one step, and until when nobody is judged by it.
        self._leap = _NONE
        self._leap_ends = 0.0

    def now(self) -> datetime.datetime:
        """The time to write (naive UTC)."""
        last, at = self._last, monotonic()
        if last is None or at - last.at >= self._fresh_s:
            last = self._look(last)
            at = max(at, last.at)
        return last.later(at)

    def settled(self) -> datetime.datetime:
        """The time by which to judge what has run out: behind :meth:`now` for a while after the clock leapt."""
        now = self.now()
        return now - self._leap if monotonic() < self._leap_ends else now

    def _look(self, last: _Look | None) -> _Look:
        at = monotonic()
        said = self._ask()
        look = _Look(said, at, monotonic() - at)
        if last is not None:
            leapt = said - last.later(at)
            if leapt.total_seconds() > STEP_S + look.took + last.took:
                known = self._leap if at < self._leap_ends else _NONE
                self._leap, self._leap_ends = known + leapt, at + GRACE_S
        self._last = look
        return look


_current: tuple[session.Database, DatabaseClock] | None = None


def now() -> datetime.datetime:
    """The database's time (naive UTC), for what others will judge."""
    return _clock().now()


def settled() -> datetime.datetime:
    """The database's time (naive UTC) by which leases, rests and deadlines are judged."""
    return _clock().settled()


def _clock() -> DatabaseClock:
    global _current
    database = session.database()
    if _current is None or _current[0] is not database:
        query = _QUERIES.get(session.backend_name())
        # SQLite's costs nothing to ask.
        _current = database, DatabaseClock(_machine, 0.0) if query is None else DatabaseClock(lambda: _read(query))
    return _current[1]


def _read(query: TextClause) -> datetime.datetime:
    with session.reader() as transaction:
        said: datetime.datetime = transaction.execute(query).scalar_one()
    return said


def _machine() -> datetime.datetime:
    return utcnow()
