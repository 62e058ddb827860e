"""Requests to neighbours go at once, whatever the wall clock was when their adapter was made."""

from __future__ import annotations

import time

import pytest
from keystoneauth1 import _fair_semaphore, adapter, session

from nova_lite.identity import pace


def test_no_request_waits_until_the_clock_is_again_where_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    pace.keep()
    slept: list[float] = []
    monkeypatch.setattr(_fair_semaphore.time, "sleep", slept.append)
    with monkeypatch.context() as ahead:
        right = time.time
        ahead.setattr(time, "time", lambda: right() + 3600)
        made = adapter.Adapter(session.Session())
    with made._rate_semaphore:
        pass
    assert sum(slept) < 1


def test_a_pace_that_is_asked_for_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    pace.keep()
    slept: list[float] = []
    monkeypatch.setattr(_fair_semaphore.time, "sleep", slept.append)
    made = adapter.Adapter(session.Session(), rate_limit=0.1)
    with made._rate_semaphore:
        pass
    assert slept and 9 < slept[0] <= 10
