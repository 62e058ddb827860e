"""Guessing passwords is slow: wrong ones are counted per user, in a table that cannot grow."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from nova_lite import clock, concurrency
from nova_lite.embedded.wsgi import TooManyRequests

_SLOTS = 1024


class Throttle:
    """Counts failures per name in a fixed number of slots; names that share a slot share their count.

    Unknown names are counted like known ones, so that the answer does not tell which exist.

    :param limit: failures within the window before logins are refused.
    :param window_s: seconds.
    """

    def __init__(self, limit: int, window_s: float, now: Callable[[], float] = clock.monotonic) -> None:
        self._limit = limit
        self._window_s = window_s
        self._now = now
        self._lock = concurrency.Lock()
        self._failures: list[tuple[float, int]] = [(0.0, 0)] * _SLOTS

    def check(self, name: str) -> None:
        """:raises TooManyRequests: too many failures for this name of late."""
        since, count = self._failures[_slot(name)]
        left = since + self._window_s - self._now()
        if count >= self._limit and left > 0:
            raise TooManyRequests(retry_after_s=int(left) + 1)

    def failed(self, name: str) -> None:
        """Count a failure."""
        with self._lock:
            slot, now = _slot(name), self._now()
            since, count = self._failures[slot]
            fresh = count == 0 or since + self._window_s <= now
            self._failures[slot] = (now, 1) if fresh else (since, count + 1)

    def succeeded(self, name: str) -> None:
        """Forget the name's failures."""
        self._failures[_slot(name)] = (0.0, 0)


def _slot(name: str) -> int:
    digest = hashlib.blake2b(name.encode("utf-8", "replace"), digest_size=4).digest()
    return int.from_bytes(digest, "big") % _SLOTS
