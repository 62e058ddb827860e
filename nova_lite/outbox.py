"""Casts leave through here, in order and in the background, so that nobody who accepted work waits for a broker.

A cast is a wake-up: the intent is already in the database, and the sweeper repeats what was lost. So the box is bounded
and in memory: while the broker is away the first message is tried again and again, the rest waits; what got too old or
does not fit is dropped with a line in the log.
"""

from __future__ import annotations

import collections
from collections.abc import Callable
from typing import Any

from oslo_log import log as logging

from nova_lite import clock, concurrency

LOG = logging.getLogger(__name__)

# Seconds between two tries of the same message; the broker's return is noticed that fast.
RETRY_S = 1.0


class Outbox:
    """A bounded queue with one sender.

    :param send: delivers one message or raises.
    :param size: messages kept at most; the oldest are dropped first.
    :param ttl_s: seconds after which an undelivered message is dropped.
    """

    def __init__(self, send: Callable[[Any], None], size: int = 10000, ttl_s: float = 3600) -> None:
        self._send = send
        self._size = size
        self._ttl_s = ttl_s
        self._waiting: collections.deque[tuple[float, Any]] = collections.deque()
        self._changed = concurrency.Condition()
        self._sending = False
        self._running = False
        self._closed = False
        self._broken = False
        self.dropped = 0

    def put(self, message: Any) -> None:
        """Accept a message; returns at once."""
        with self._changed:
            self._waiting.append((clock.monotonic(), message))
            if len(self._waiting) > self._size:
                self._waiting.popleft()
                self._drop("the outbox is full")
            if not self._running:
                self._running = True
                concurrency.spawn(self._run)
            self._changed.notify_all()

    def flush(self, timeout_s: float) -> bool:
        """True when everything left within so many seconds."""
        with self._changed:
            return self._changed.wait_for(self._is_empty, timeout_s)

    def close(self, timeout_s: float = 1.0) -> None:
        """Send what is left for so many seconds, then give up."""
        flushed = not self._broken and self.flush(timeout_s)
        with self._changed:
            self._closed = True
            if self._waiting and not flushed:
                LOG.warning("%d messages were not sent; the sweeper repeats their work", len(self._waiting))
            self._waiting.clear()
            self._changed.notify_all()

    def _is_empty(self) -> bool:
        return not self._waiting and not self._sending

    def _drop(self, reason: str) -> None:
        self.dropped += 1
        if self.dropped == 1 or self.dropped % 1000 == 0:
            LOG.warning("%d messages dropped so far: %s; the sweeper repeats their work", self.dropped, reason)

    def _run(self) -> None:
        while (item := self._next()) is not None:
            self._deliver(*item)
            with self._changed:
                self._sending = False
                self._changed.notify_all()

    def _next(self) -> tuple[float, Any] | None:
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closed)
            if self._closed:
                return None
            self._sending = True
            return self._waiting.popleft()

    def _deliver(self, put_at: float, message: Any) -> None:
        while not self._closed:
            if clock.monotonic() - put_at > self._ttl_s:
                self._drop("the broker was away for too long")
                return
            try:
                self._send(message)
            except Exception as error:
                self._note_failure(error)
                concurrency.sleep(RETRY_S)
            else:
                self._note_success()
                return

    def _note_failure(self, error: Exception) -> None:
        if not self._broken:
            self._broken = True
            LOG.error("messages cannot be sent now, they wait: %s", error)

    def _note_success(self) -> None:
        if self._broken:
            self._broken = False
            LOG.info("messages can be sent again; %d waited", len(self._waiting))
