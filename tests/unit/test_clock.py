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


def test_a_simulator_may_bring_its_own_time(monkeypatch: pytest.MonkeyPatch) -> None:
    class Frozen:
        def time(self) -> float:
            return 86_400.5

        def monotonic(self) -> float:
            return 7.0

    monkeypatch.setattr(clock, "_source", clock._source)  # put back afterwards
    clock.use(Frozen())
    assert clock.utcnow() == datetime.datetime(1970, 1, 2, 0, 0, 0, 500_000)
    assert (clock.wall(), clock.monotonic()) == (86_400.5, 7.0)
