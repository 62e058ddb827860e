"""Requests to neighbours do not wait for a wall clock that was set back.

keystoneauth1 paces the requests of each adapter, also where no pace is asked for, by the wall clock of the moment at
which the adapter was made. Where the clock was ahead then and is right now, every request, the check of every token
among them, sleeps for the difference. By the monotonic clock it does not.
"""

from __future__ import annotations

from types import SimpleNamespace

from keystoneauth1 import _fair_semaphore

from nova_lite import clock, concurrency


def keep() -> None:
    """From now on, in this process; adapters that were made before keep the clock that they began with."""
    _fair_semaphore.time = SimpleNamespace(time=clock.monotonic, sleep=concurrency.sleep)  # type: ignore[assignment,attr-defined]
