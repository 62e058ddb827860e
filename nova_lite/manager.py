"""Manager: the uniform face of whatever does a service's work.

A Service asks its manager for endpoints (objects whose public methods are RPC verbs), tells it when to begin and to
end, and runs its periodic tasks. The names defined here are not RPC verbs and cannot be called from outside.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class PeriodicTask:
    """A function called every ``interval_s`` seconds, first after ``delay_s``; its errors are logged and survived."""

    run: Callable[[], Any]
    interval_s: float
    delay_s: float = 0.0
    name: str = ""

    @property
    def label(self) -> str:
        return self.name or getattr(self.run, "__name__", "periodic task")


class Manager:
    """Base of the managers; a small one is its own single endpoint."""

    def __init__(self, host: str, conf: Any = None, **deps: Any) -> None:
        self.host = host
        self.conf = conf

    def endpoints(self) -> list[Any]:
        """Objects that answer RPC; a method is looked up in this order."""
        return [self]

    def init_host(self) -> None:
        """Prepare before messages are taken: connect, resume or clean what a kill left."""

    def start(self) -> None:
        """Begin background work; messages are being taken."""

    def pre_stop(self) -> None:
        """Take no new work; called at the begin of the drain."""

    def stop(self) -> None:
        """End background work; no message is being handled any more."""

    def reset(self) -> None:
        """Mutable options changed (SIGHUP)."""

    def periodic_tasks(self) -> list[PeriodicTask]:
        return []

    def is_healthy(self) -> bool:
        """False stops the watchdog's keep-alive: only for what a restart would mend."""
        return True


RESERVED = frozenset(name for name in vars(Manager) if not name.startswith("_"))
