"""The in-memory transport sleeps while nothing comes, wakes when something does, and is the one that kombu finds."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import kombu
import pytest

from nova_lite import rpc_memory


@pytest.fixture
def connection() -> Iterator[kombu.Connection]:
    rpc_memory.install()
    with kombu.Connection("memory://") as found:
        yield found
    rpc_memory.reset()


def test_memory_means_our_transport(connection: kombu.Connection) -> None:
    assert isinstance(connection.transport, rpc_memory.Transport)


def consume(connection: kombu.Connection, name: str) -> list[str]:
    got: list[str] = []
    queue = kombu.Queue(name, kombu.Exchange(name, type="direct"), routing_key=name)
    consumer = kombu.Consumer(connection.channel(), [queue], callbacks=[lambda body, message: got.append(body)])
    consumer.consume(no_ack=True)
    return got


def publish(name: str, body: str) -> None:
    with kombu.Connection("memory://") as other:
        kombu.Producer(other.channel(), kombu.Exchange(name, type="direct"), name).publish(body)


@pytest.fixture
def long_look_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who is woken by something else than the end of his wait is told from who is not, also where others are busy."""
    monkeypatch.setattr(rpc_memory, "LOOK_UP_S", 5.0)


@pytest.mark.usefixtures("long_look_up")
def test_a_message_wakes_its_consumer_at_once(connection: kombu.Connection) -> None:
    got = consume(connection, "mine")
    threading.Timer(0.05, publish, ("mine", "hello")).start()
    begin = time.monotonic()
    connection.drain_events(timeout=1)
    assert got == ["hello"]
    assert time.monotonic() - begin < rpc_memory.LOOK_UP_S


def test_a_message_for_others_does_not_end_the_wait(connection: kombu.Connection) -> None:
    consume(connection, "mine")
    with kombu.Connection("memory://") as other:
        consume(other, "theirs")
        publish("theirs", "hello")
        with pytest.raises(TimeoutError):
            connection.drain_events(timeout=0.001)


def test_waiting_costs_nothing(connection: kombu.Connection) -> None:
    consume(connection, "mine")
    before, begin = time.thread_time(), time.monotonic()
    for _ in range(4):
        with pytest.raises(TimeoutError):
            connection.drain_events(timeout=0.001)
    assert time.monotonic() - begin > 3 * rpc_memory.LOOK_UP_S, "it waits, whatever little time it was given"
    assert time.thread_time() - before < 0.1


@pytest.mark.usefixtures("long_look_up")
def test_everybody_can_be_made_to_look_up(connection: kombu.Connection) -> None:
    consume(connection, "mine")
    threading.Timer(0.02, rpc_memory.wake_all).start()
    begin = time.monotonic()
    with pytest.raises(TimeoutError):
        connection.drain_events(timeout=1)
    assert time.monotonic() - begin < rpc_memory.LOOK_UP_S


def test_reset_forgets_messages(connection: kombu.Connection) -> None:
    consume(connection, "mine")
    publish("mine", "old")
    rpc_memory.reset()
    with kombu.Connection("memory://") as again:
        got = consume(again, "mine")
        with pytest.raises(TimeoutError):
            again.drain_events(timeout=0.001)
        assert got == []
