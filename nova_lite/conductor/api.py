"""The conductor's door for the others: wakes it, and waits for it where a daemon cannot work without one."""

from __future__ import annotations

import functools
import itertools
import logging
from collections.abc import Callable, Iterable
from typing import Any

from nova_lite import concurrency, exception
from nova_lite.conductor.rpcapi import ConductorRpcAPI
from nova_lite.context import RequestContext, admin_context

LOG = logging.getLogger(__name__)


class API:
    """What the API service asks of the conductor."""

    def __init__(self) -> None:
        self._rpcapi = ConductorRpcAPI()

    def wake(self, ctxt: RequestContext, operation_ids: Iterable[int]) -> None:
        """Say that operations wait. A lost message costs a sweep, never the operation: the intent is written."""
        for operation_id in operation_ids:
            self._rpcapi.run_operation(ctxt, operation_id)


class HostAPI:
    """What a compute host asks of the conductors; it insists, because a host's work is not undone for a lost answer.

    Every verb of the conductor stands a second call: it is guarded by the operation's attempt, or changes nothing new.
    """

    def __init__(self, stopped: Callable[[], bool], timeout_s: float = 10.0, pause_s: float = 0.5) -> None:
        self._rpcapi = ConductorRpcAPI(timeout_s)
        self._stopped = stopped
        self._pause_s = pause_s
        self._met = False
        self._words = itertools.count(1)

    def progress(
        self, ctxt: RequestContext, operation_id: int, attempt: int, step: str, values: dict[str, Any]
    ) -> None:
        """Said again it has the same number; an attempt has one worker, in one life of one daemon."""
        word = next(self._words)
        self._insist(self._rpcapi.progress, ctxt, operation_id, attempt, step, values, word)

    def __getattr__(self, verb: str) -> Callable[..., Any]:
        return functools.partial(self._insist, getattr(self._rpcapi, verb))

    def _insist(self, method: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Call until a conductor answers.

        :raises ServiceStopping: the host is stopping; :raises NovaLiteError: the conductor's own refusal.
        """
        pause_s = self._pause_s
        while True:
            try:
                self._meet()
                return method(*args, **kwargs)
            except exception.Unavailable as error:
                if self._stopped():
                    raise exception.ServiceStopping() from error
                LOG.warning("No conductor answers %s (%s); trying again in %.1f s", method.__name__, error, pause_s)
            concurrency.sleep(pause_s)
            pause_s = min(2 * pause_s, 5.0)

    def _meet(self) -> None:
        """Once: a host that starts before its conductor learns of it in a second, not after a whole timeout."""
        while not self._met:
            try:
                self._rpcapi.ping(admin_context(), timeout_s=1.0)
                self._met = True
            except exception.CallTimeout:
                if self._stopped():
                    raise
