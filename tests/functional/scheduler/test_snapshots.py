"""How often the hosts are read: seldom enough, and never too late."""

from __future__ import annotations

import threading

import pytest

from nova_lite.db.api import compute_nodes
from nova_lite.scheduler.database import READINGS_APART, DatabaseState
from nova_lite.scheduler.snapshot import Snapshot
from tests.harness.builders import make_node
from tests.harness.database import statements

pytestmark = pytest.mark.usefixtures("database")


class _Clock:
    """Moved by hand; each look at it while ``reading_s`` is set takes that long."""

    def __init__(self) -> None:
        self.now_s = 100.0
        self.reading_s = 0.0

    def __call__(self) -> float:
        self.now_s += self.reading_s
        return self.now_s


def _state(max_age_s: float) -> tuple[DatabaseState, _Clock]:
    clock = _Clock()
    return DatabaseState(30.0, "nova", max_age_s, clock), clock


def test_what_was_read_is_recent_for_a_while() -> None:
    state, clock = _state(1.0)
    first = state.recent()
    clock.now_s += 0.9
    assert state.recent() is first
    clock.now_s += 0.2
    assert state.recent() is not first


def test_since_wants_a_reading_that_began_then_or_later() -> None:
    state, clock = _state(60.0)
    first = state.recent()
    assert state.since(clock.now_s) is first
    compute_nodes.upsert(make_node("new"))
    second = state.since(clock.now_s + 0.1)
    assert second is not first and [host.host for host in second.hosts] == ["new"]
    assert state.recent() is second


def test_slow_readings_are_farther_apart() -> None:
    """Ten thousand hosts that take two seconds to read are not read again every second."""
    state, clock = _state(1.0)
    clock.reading_s = 2.0
    first = state.recent()
    clock.reading_s = 0.0
    clock.now_s += 2.0 * READINGS_APART - 0.5
    assert state.recent() is first
    clock.now_s += 1.0
    assert state.recent() is not first


def test_no_cache_reads_every_time() -> None:
    state, _ = _state(0.0)
    assert state.recent() is not state.recent()


def test_those_who_ask_at_once_share_one_reading() -> None:
    state, _ = _state(60.0)
    barrier, found = threading.Barrier(10), []

    def ask() -> None:
        barrier.wait()
        found.append(state.recent())

    with statements() as seen:
        threads = [threading.Thread(target=ask) for _ in range(10)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(found) == 10 and all(isinstance(each, Snapshot) and each is found[0] for each in found)
    assert sum("compute_nodes" in statement for statement in seen) == 1
