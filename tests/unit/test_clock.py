from __future__ import annotations

import datetime

import pytest

from nova_lite import clock


def test_utcnow_is_naive_utc() -> None:
    now = clock.utcnow()
    assert now.tzinfo is None
    assert abs(datetime.datetime.now(datetime.UTC).replace(tzinfo=None) - now) < datetime.timedelta(seconds=5)


def test_deadline_runs_out_and_never_goes_below_zero(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr(clock, "monotonic", lambda: now)
    deadline = clock.Deadline(10)
    assert deadline.left() == 10
    assert not deadline.passed()
    now = 111.0
    assert deadline.left() == 0
    assert deadline.passed()
