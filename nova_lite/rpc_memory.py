"""kombu's in-memory transport, but waiting for messages instead of spinning.

oslo.messaging sets the polling interval of ``memory://`` to zero, "to speed up tests": every listener would burn a core
for as long as the embedded cloud is idle. Here a consumer sleeps until something is put into one of its queues, which
is also faster. ``install()`` puts this class in the place of kombu's own.
"""

from __future__ import annotations

import queue
import threading
from collections import defaultdict
from typing import Any

import kombu.transport
from kombu.transport import memory

# A consumer looks whether it was told to stop so often (seconds); a message wakes it at once.
LOOK_UP_S = 0.25

_wakers: dict[str, set[threading.Event]] = defaultdict(set)


class Channel(memory.Channel):  # type: ignore[misc]
    """A channel that wakes the consumers of the queue it puts into."""

    def _put(self, queue: str, message: Any, **kwargs: Any) -> None:
        super()._put(queue, message, **kwargs)
        _wake(queue)

    def _put_fanout(self, exchange: str, message: Any, routing_key: str | None = None, **kwargs: Any) -> None:
        super()._put_fanout(exchange, message, routing_key, **kwargs)
        for name in self._lookup(exchange, routing_key):
            _wake(name)

    def basic_consume(self, queue: str, *args: Any, **kwargs: Any) -> Any:
        _wakers[queue].add(self.connection.wake)
        return super().basic_consume(queue, *args, **kwargs)

    def close(self) -> None:
        for events in list(_wakers.values()):
            events.discard(self.connection.wake)
        super().close()


def _wake(name: str) -> None:
    for event in tuple(_wakers.get(name, ())):
        event.set()


class Transport(memory.Transport):  # type: ignore[misc]
    """The transport whose drain_events sleeps."""

    Channel = Channel

    def __init__(self, client: Any, **kwargs: Any) -> None:
        super().__init__(client, **kwargs)
        self.wake = threading.Event()

    def drain_events(self, connection: Any, timeout: float | None = None) -> None:
        """Deliver one message.

        :raises TimeoutError: nothing came for a while. The caller's shorter timeout is stretched to LOOK_UP_S, because
            it is only the pace at which the caller looks at its stop flag.
        """
        for wait_s in (LOOK_UP_S, 0):
            self.wake.clear()
            try:
                self.cycle.get(self._deliver, timeout=timeout)
                return
            except queue.Empty:
                if not self.wake.wait(wait_s):
                    raise TimeoutError from None
        raise TimeoutError


def wake_all() -> None:
    """Make every consumer look at its stop flag now."""
    for name in list(_wakers):
        _wake(name)


def install() -> None:
    """Make ``memory://`` mean this transport in this process."""
    kombu.transport.TRANSPORT_ALIASES["memory"] = f"{__name__}:Transport"


def reset() -> None:
    """Forget every queue, binding and message: for tests that start another cloud in the same process."""
    memory.Channel.queues.clear()
    _wakers.clear()
    memory.Transport.global_state.clear()
