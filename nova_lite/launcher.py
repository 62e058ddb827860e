"""Runs services in this process: starts them in order, obeys signals, tells systemd, drains at the end.

TERM and INT drain (a second one ends at once), HUP takes over mutable options and policy files (from a terminal it says
that the terminal is gone, and drains too), USR2 writes a Guru Meditation Report.
"""

from __future__ import annotations

import logging as standard_logging
import os
import signal
import sys
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from oslo_config import cfg
from oslo_log import log as logging

from nova_lite import clock, concurrency, config, exception, gmr, policy, systemd
from nova_lite.service import Stopped
from nova_lite.signals import HANDLED, SignalPipe, is_interactive

LOG = logging.getLogger(__name__)

# Seconds a process may need to end beyond its drain: closing connections, saying goodbye.
CLOSING_S = 2.0


class Runnable(Protocol):
    """What a launcher can run: Service and WSGIService."""

    name: str

    def start(self) -> None: ...
    def stop(self, timeout_s: float) -> bool: ...
    def reset(self) -> None: ...
    def is_healthy(self) -> bool: ...


class Launcher:
    """Groups of services; those of a group are started one after the other and stopped together.

    Groups are started in order and stopped in reverse, so that each finds those before it alive.

    :param close: called last, to give back what the process holds (transport, database).
    :param on_ready: called when all services serve.
    :param handled: signals to obey.
    """

    def __init__(
        self,
        binary: str,
        groups: Sequence[Sequence[Runnable]],
        conf: cfg.ConfigOpts = cfg.CONF,
        close: Callable[[], Any] = lambda: None,
        on_ready: Callable[[], Any] = lambda: None,
        handled: Sequence[signal.Signals] = HANDLED,
    ) -> None:
        self.binary = binary
        self._groups = groups
        self._conf = conf
        self._close = close
        self._on_ready = on_ready
        self._handled = handled
        self._ending = {signal.SIGTERM, signal.SIGINT} | ({signal.SIGHUP} if is_interactive() else set())
        self._started_at = clock.utcnow()
        self._ready = False

    @property
    def services(self) -> list[Runnable]:
        return [service for group in self._groups for service in group]

    def run(self) -> int:
        """Serve until told to end; the exit code."""
        signals = SignalPipe(self._handled)
        gmr.register_section("Services", gmr.uptime_section(self._started_at, self._facts))
        systemd.status("starting")
        starting = concurrency.spawn(self._start)
        code = self._obey(signals, starting)
        systemd.stopping("draining")
        drained = self._drain_or_hurry(signals)
        self._close()
        LOG.info("%s ended%s", self.binary, "" if drained else "; some work was cut off and will be resumed")
        if not drained:
            leave_at_once(code)
        return code

    def _start(self) -> None:
        for service in self.services:
            # in a thread of its own, so that no request context of its work stays with the next one
            concurrency.spawn(service.start).wait()
        self._on_ready()
        systemd.ready("serving")
        self._ready = True
        LOG.info("%s is ready", self.binary)

    def _obey(self, signals: SignalPipe, starting: concurrency.Handle) -> int:
        """Act on signals until one says to end, or until the start failed."""
        watchdog_s = systemd.watchdog_interval_s()
        asking: concurrency.Handle | None = None
        while True:
            if starting.done() and not self._ready:
                return self._explain(starting)
            wait_s = 0.1 if not starting.done() else watchdog_s or 3600.0
            for number in signals.wait(wait_s):
                if number in self._ending:
                    LOG.info("%s received, draining for at most %d s", number.name, self._timeout_s())
                    return 0
                self._handle(number)
            if watchdog_s and (asking is None or asking.done()):
                asking = concurrency.spawn(self._report_health)

    def _explain(self, starting: concurrency.Handle) -> int:
        error = starting.exception(0)
        if isinstance(error, Stopped):
            return 0
        if isinstance(error, (exception.ConfigInvalid, SystemExit)):
            LOG.critical("%s cannot start: %s", self.binary, error)
        else:
            LOG.critical("%s cannot start", self.binary, exc_info=error)
        return 1

    def _handle(self, number: signal.Signals) -> None:
        if number == signal.SIGHUP:
            concurrency.spawn(self._reload)
        elif number == signal.SIGUSR2:
            gmr.write(self._conf, self.binary)

    def _reload(self) -> None:
        systemd.reloading("reloading")
        config.reload(self._conf)
        policy.refresh()
        for service in self.services:
            try:
                service.reset()
            except Exception:
                LOG.exception("%s did not take over the new configuration", service.name)
        systemd.ready("serving")

    def _report_health(self) -> None:
        sick = [service.name for service in self.services if not service.is_healthy()] if self._ready else []
        if sick:
            systemd.status(f"not healthy: {', '.join(sick)}")
        else:
            systemd.alive()

    def _timeout_s(self) -> int:
        timeout: int = self._conf.graceful_shutdown_timeout
        return timeout

    def _drain_or_hurry(self, signals: SignalPipe) -> bool:
        """Drain everything; another TERM or INT meanwhile gives up at once."""
        draining = concurrency.spawn(self._drain)
        while not draining.done():
            if any(number in (signal.SIGTERM, signal.SIGINT) for number in signals.wait(0.05)):
                LOG.warning("told to end again: ending at once")
                return False
        return bool(draining.wait())

    def _drain(self) -> bool:
        deadline = clock.Deadline(self._timeout_s())
        drained = True
        for group in reversed(self._groups):
            stopping = [concurrency.spawn(service.stop, deadline.left()) for service in group]
            for handle in stopping:
                drained = self._stopped(handle, deadline) and drained
        return drained

    def _stopped(self, handle: concurrency.Handle, deadline: clock.Deadline) -> bool:
        try:
            return bool(handle.wait(deadline.left() + CLOSING_S))
        except TimeoutError:
            return False
        except Exception:
            LOG.exception("a service did not stop cleanly")
            return False

    def _facts(self) -> dict[str, Any]:
        return {
            "ready": self._ready,
            "concurrency backend": concurrency.backend(),
            **{f"service {service.name}": "serving" if self._ready else "starting" for service in self.services},
        }


def leave_at_once(code: int) -> None:
    """End without the interpreter's own good-byes: it would wait for hanging threads, and take everything apart."""
    standard_logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
