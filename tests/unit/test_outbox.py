from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from nova_lite import outbox


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox, "RETRY_S", 0.005)


@pytest.fixture
def sent() -> Iterator[list[int]]:
    yield []


def test_messages_leave_in_order(sent: list[int]) -> None:
    box = outbox.Outbox(sent.append)
    for number in range(100):
        box.put(number)
    assert box.flush(5)
    assert sent == list(range(100))
    box.close()


def test_putting_never_waits_and_what_failed_is_tried_again(sent: list[int]) -> None:
    broken = threading.Event()
    broken.set()

    def send(message: int) -> None:
        if broken.is_set():
            raise OSError("no broker")
        sent.append(message)

    box = outbox.Outbox(send)
    for number in range(3):
        box.put(number)
    assert not box.flush(0.05)
    broken.clear()
    assert box.flush(5)
    assert sent == [0, 1, 2]
    box.close()


def test_a_full_box_drops_the_oldest(sent: list[int]) -> None:
    gate = threading.Event()

    def send(message: int) -> None:
        gate.wait(5)
        sent.append(message)

    box = outbox.Outbox(send, size=2)
    for number in range(10):
        box.put(number)
    gate.set()
    assert box.flush(5)
    assert sent[-2:] == [8, 9]
    # two wait, and one was perhaps on its way
    assert len(sent) <= 3 and box.dropped == 10 - len(sent)
    box.close()


def test_closing_sends_what_waits(sent: list[int]) -> None:
    def send(message: int) -> None:
        time.sleep(0.02)
        sent.append(message)

    box = outbox.Outbox(send)
    for number in range(5):
        box.put(number)
    box.close(timeout_s=10)
    assert sent == [0, 1, 2, 3, 4]


def test_what_became_too_old_is_dropped(sent: list[int]) -> None:
    def send(message: int) -> None:
        raise OSError("no broker")

    box = outbox.Outbox(send, ttl_s=0.02)
    box.put(1)
    assert box.flush(5)
    assert box.dropped == 1
    box.close()


def test_closing_does_not_wait_for_a_broken_broker() -> None:
    tried = threading.Event()

    def send(message: int) -> None:
        tried.set()
        raise OSError("no broker")

    box = outbox.Outbox(send)
    box.put(1)
    box.put(2)
    assert tried.wait(5)
    while not box._broken:
        pass
    box.close(timeout_s=60)
    assert box.flush(5)
