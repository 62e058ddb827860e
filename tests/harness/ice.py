"""Ice: a host stopped as by SIGSTOP, or cut off: what it says waits, and what is said to it, until it thaws.

Its threads stand still where they speak with a conductor, before the question or behind the answer; time goes on.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from nova_lite import concurrency
from nova_lite.compute.manager import ComputeManager
from tests.harness.cloud import Cloud, until

# What no test outlasts, in seconds.
LONGEST_S = 60.0


class Ice:
    """Stands between one host's manager and the conductors; ``asked`` are the verbs that were answered."""

    def __init__(self, cloud: Cloud, host: str) -> None:
        manager = cloud.services[host].manager
        assert isinstance(manager, ComputeManager)
        self.manager = manager
        self.service = cloud.services[host]
        self.driver = cloud.drivers[host]
        self.asked: list[str] = []
        self._rpcapi = manager._host.conductor._rpcapi
        self._flows = concurrency.Event()
        self._flows.set()
        self._trap: Callable[[str, tuple[Any, ...]], bool] | None = None
        manager._host.conductor._rpcapi = self  # type: ignore[assignment]

    def freeze(self) -> None:
        self._flows.clear()

    def freeze_after(self, trap: Callable[[str, tuple[Any, ...]], bool]) -> None:
        """Freeze when a verb for whose name and arguments ``trap`` is true was answered, before the answer is heard."""
        self._trap = trap

    def wait_frozen(self) -> None:
        until(lambda: not self._flows.is_set(), 20, lambda: f"nothing froze it: {self.asked[-20:]}")

    def thaw(self) -> None:
        self._flows.set()

    def __getattr__(self, verb: str) -> Callable[..., Any]:
        method = getattr(self._rpcapi, verb)

        @functools.wraps(method)
        def call(*args: Any, **kwargs: Any) -> Any:
            self._flows.wait(LONGEST_S)
            answer = method(*args, **kwargs)
            self.asked.append(verb)
            trap = self._trap
            if trap is not None and trap(verb, args):
                self._trap = None
                self._flows.clear()
            self._flows.wait(LONGEST_S)
            return answer

        return call


def step_done(name: str) -> Callable[[str, tuple[Any, ...]], bool]:
    """The moment at which a step of that name is recorded."""
    return lambda verb, args: verb == "progress" and name in args
