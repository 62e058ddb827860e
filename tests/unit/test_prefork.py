"""The parent's bookkeeping; real workers are killed in tests/functional/test_daemons.py."""

from __future__ import annotations

import types
from collections.abc import Iterator

import pytest
from oslo_config import cfg

from nova_lite import clock, prefork
from nova_lite.conf import default


@pytest.fixture
def parent(monkeypatch: pytest.MonkeyPatch) -> Iterator[prefork.Prefork]:
    conf = cfg.ConfigOpts()
    default.register(conf)
    conf([], default_config_files=[], default_config_dirs=[])
    monkeypatch.setattr(clock, "monotonic", lambda: 1000.0)
    services = [
        types.SimpleNamespace(name="osapi_compute", workers=2),
        types.SimpleNamespace(name="metadata", workers=1),
    ]
    yield prefork.Prefork("nova-lite-api", services, lambda service, ready: 0, conf)  # type: ignore[arg-type]


def test_a_slot_per_worker(parent: prefork.Prefork) -> None:
    assert [slot.label for slot in parent._slots] == [
        "osapi_compute worker 1", "osapi_compute worker 2", "metadata worker 1",
    ]  # fmt: skip


def test_a_worker_that_keeps_dying_waits_longer_each_time(parent: prefork.Prefork) -> None:
    slot = parent._slots[0]
    waits = []
    for _ in range(10):
        slot.pid, slot.started = 7, 999.0
        parent._note_death(slot, 9)
        assert slot.pid == 0
        waits.append(slot.due - 1000.0)
    assert waits[:4] == [0.5, 1.0, 2.0, 4.0]
    assert waits[-1] == prefork.BACKOFF_MAX_S


def test_a_worker_that_lived_long_is_replaced_at_once(parent: prefork.Prefork) -> None:
    slot = parent._slots[0]
    slot.failures, slot.pid, slot.started = 5, 7, 0.0
    parent._note_death(slot, 0)
    assert (slot.failures, slot.due) == (0, 1000.0)


def test_the_parent_wakes_for_the_next_start(parent: prefork.Prefork) -> None:
    for slot in parent._slots:
        slot.pid = 7
    assert parent._wait_s(None) == 0.1, "not all are ready"
    parent._said_ready = True
    assert parent._wait_s(30.0) == 30.0
    parent._slots[0].pid, parent._slots[0].due = 0, 1002.0
    assert parent._wait_s(30.0) == 2.0
