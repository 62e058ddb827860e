"""The database's clock: one for all, and what a step of it does not do."""

from __future__ import annotations

import datetime

import pytest

from nova_lite.db import clock, session
from nova_lite.db.clock import GRACE_S, DatabaseClock

T0 = datetime.datetime(2026, 1, 1)


def s(seconds: float) -> datetime.timedelta:
    return datetime.timedelta(seconds=seconds)


class Machine:
    """The database's clock, and a daemon's monotonic one."""

    def __init__(self) -> None:
        self.time, self.at, self.asked = T0, 500.0, 0

    def ask(self) -> datetime.datetime:
        self.asked += 1
        return self.time

    def passes(self, seconds: float) -> None:
        self.time += s(seconds)
        self.at += seconds


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    made = Machine()
    monkeypatch.setattr(clock, "monotonic", lambda: made.at)
    return made


def test_it_is_asked_now_and_then_and_counted_on_between(machine: Machine) -> None:
    found = DatabaseClock(machine.ask, fresh_s=5)
    for number in range(10):
        assert found.now() == found.settled() == T0 + s(number)
        machine.passes(1)
    assert machine.asked == 2


def test_the_machines_own_clock_is_never_asked(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    found = DatabaseClock(machine.ask, fresh_s=5)
    monkeypatch.setattr(clock, "utcnow", lambda: T0 + datetime.timedelta(hours=1))
    machine.passes(3)
    assert found.now() == T0 + s(3)


def test_after_a_leap_nobody_is_judged_by_it_for_a_while(machine: Machine) -> None:
    found = DatabaseClock(machine.ask, fresh_s=0)
    found.now()
    machine.time += datetime.timedelta(hours=1)
    assert found.now() == machine.time
    assert found.settled() == machine.time - datetime.timedelta(hours=1)
    machine.passes(GRACE_S - 1)
    assert found.settled() == machine.time - datetime.timedelta(hours=1)
    machine.passes(2)
    assert found.settled() == found.now() == machine.time


def test_two_leaps_add_up_and_a_step_back_needs_no_grace(machine: Machine) -> None:
    found = DatabaseClock(machine.ask, fresh_s=0)
    found.now()
    machine.time += s(100)
    assert found.settled() == T0
    machine.time += s(50)
    assert found.settled() == T0
    machine.passes(GRACE_S + 1)
    machine.time -= s(3600)
    assert found.settled() == found.now() == machine.time


def test_an_answer_that_took_long_is_no_leap(machine: Machine) -> None:
    def slow() -> datetime.datetime:
        said = machine.ask()
        machine.passes(8)
        return said

    found = DatabaseClock(slow, fresh_s=0)
    found.now()
    found._ask = machine.ask
    assert found.settled() == found.now()


@pytest.mark.usefixtures("database")
def test_the_module_asks_the_database_that_is_chosen() -> None:
    first = clock.now()
    assert abs((clock.settled() - first).total_seconds()) < 5
    # SQLite's clock is this machine's, and costs nothing to ask.
    fresh_s = 0.0 if session.backend_name() == "sqlite" else clock.FRESH_S
    assert clock._current is not None and clock._current[1]._fresh_s == fresh_s
