"""Several processes for one listening socket: the parent binds, forks, restarts dead workers and passes signals on.

The parent does nothing else: no database, no broker, no threads, so that forking is safe at any time. A worker ends by
itself when its parent is gone, however that came.
"""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from oslo_config import cfg
from oslo_log import log as logging

from nova_lite import clock, concurrency, config, gmr, systemd
from nova_lite.launcher import CLOSING_S
from nova_lite.service import WSGIService
from nova_lite.signals import PARENT, SignalPipe, is_interactive

LOG = logging.getLogger(__name__)

# A worker that dies sooner than this after its start counts as failing, and waits longer each time (seconds).
STABLE_S = 5.0
BACKOFF_FIRST_S, BACKOFF_MAX_S = 0.5, 30.0

# Runs one worker: serves the service, calls the function when it does, returns the exit code.
Work = Callable[[WSGIService, Callable[[], object]], int]


@dataclass
class Slot:
    """One worker's place. ``due`` is when it may be started, on the monotonic clock."""

    service: WSGIService
    number: int
    pid: int = 0
    started: float = 0.0
    due: float = 0.0
    failures: int = 0

    @property
    def label(self) -> str:
        return f"{self.service.name} worker {self.number}"


class Prefork:
    """The parent of all workers."""

    def __init__(
        self, binary: str, services: Sequence[WSGIService], work: Work, conf: cfg.ConfigOpts = cfg.CONF
    ) -> None:
        self.binary = binary
        self._work = work
        self._conf = conf
        self._slots = [Slot(service, number + 1) for service in services for number in range(service.workers)]
        self._ready_reader, self._ready_writer = os.pipe()
        os.set_blocking(self._ready_reader, False)
        # Workers hold the reading end; its end of file tells them that the parent is gone.
        self._life_reader, self._life_writer = os.pipe()
        self._ending = {signal.SIGTERM, signal.SIGINT} | ({signal.SIGHUP} if is_interactive() else set())
        self._ready = 0
        self._said_ready = False

    def run(self) -> int:
        """Keep the workers alive until told to end; the exit code."""
        self._signals = SignalPipe(PARENT, native=True)
        systemd.status("starting workers")
        watchdog_s = systemd.watchdog_interval_s()
        while True:
            self._start_due()
            for number in self._signals.wait(self._wait_s(watchdog_s)):
                if number in self._ending:
                    return self._end(number)
                self._handle(number)
            self._reap()
            self._note_ready()
            if watchdog_s:
                systemd.alive()

    def _wait_s(self, watchdog_s: float | None) -> float:
        waits = [0.1 if not self._said_ready else watchdog_s or 3600.0]
        waits += [max(0.01, slot.due - clock.monotonic()) for slot in self._slots if not slot.pid]
        return min(waits)

    # -- workers ------------------------------------------------------------------------------------------------------

    def _start_due(self) -> None:
        for slot in self._slots:
            if not slot.pid and slot.due <= clock.monotonic():
                self._fork(slot)

    def _fork(self, slot: Slot) -> None:
        slot.started = clock.monotonic()
        pid = os.fork()
        if pid:
            slot.pid = pid
            LOG.info("%s is process %d", slot.label, pid)
            return
        code = 1
        try:
            code = self._child(slot)
        except BaseException:
            LOG.exception("%s failed", slot.label)
        finally:
            os._exit(code)  # nothing of the parent's stack may run twice

    def _child(self, slot: Slot) -> int:
        concurrency.after_fork()
        self._signals.close()
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        slot.service.share()
        os.close(self._life_writer)
        os.close(self._ready_reader)
        for other in self._slots:
            if other.service is not slot.service:
                other.service.close()
        concurrency.native_thread(_end_with_parent, self._life_reader, name="parent watch")
        return self._work(slot.service, lambda: os.write(self._ready_writer, b"."))

    def _reap(self) -> None:
        """Note the dead, whoever they are, and when their places may be filled again."""
        with contextlib.suppress(ChildProcessError):
            while (found := os.waitpid(-1, os.WNOHANG))[0]:
                for slot in self._slots:
                    if slot.pid == found[0]:
                        self._note_death(slot, found[1])

    def _note_death(self, slot: Slot, status: int) -> None:
        lived_s = clock.monotonic() - slot.started
        slot.failures = slot.failures + 1 if lived_s < STABLE_S else 0
        wait_s = min(BACKOFF_FIRST_S * 2 ** (slot.failures - 1), BACKOFF_MAX_S) if slot.failures else 0.0
        code = os.waitstatus_to_exitcode(status)
        how = signal.Signals(-code).name if code < 0 else f"code {code}"
        LOG.error("%s (process %d) ended with %s; restarting it in %.1f s", slot.label, slot.pid, how, wait_s)
        slot.pid, slot.due = 0, clock.monotonic() + wait_s

    def _note_ready(self) -> None:
        with contextlib.suppress(BlockingIOError):
            # not eventlet's read, which would wait for more
            self._ready += len(concurrency.native_module("os").read(self._ready_reader, 4096))
        if not self._said_ready and self._ready >= len(self._slots):
            self._said_ready = True
            systemd.ready(f"{len(self._slots)} workers serve")
            LOG.info("%s is ready: %d workers serve", self.binary, len(self._slots))

    # -- signals ------------------------------------------------------------------------------------------------------

    def _handle(self, number: signal.Signals) -> None:
        if number == signal.SIGHUP:
            systemd.reloading("reloading")
            config.reload(self._conf)
            self._tell(number)
            systemd.ready(f"{len(self._slots)} workers serve")
        elif number == signal.SIGUSR2:
            gmr.write(self._conf, self.binary)
            self._tell(number)

    def _tell(self, number: signal.Signals) -> None:
        for slot in self._slots:
            if slot.pid:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(slot.pid, number)

    def _end(self, number: signal.Signals) -> int:
        timeout_s = self._conf.graceful_shutdown_timeout + CLOSING_S
        LOG.info("%s received, %s drains for at most %d s", number.name, self.binary, timeout_s)
        systemd.stopping("draining")
        for slot in self._slots:
            slot.service.refuse()
        self._tell(signal.SIGTERM)
        for slot in self._slots:
            slot.service.close()
        deadline = clock.Deadline(timeout_s)
        while self._alive() and not deadline.passed():
            if any(again in (signal.SIGTERM, signal.SIGINT) for again in self._signals.wait(min(0.2, deadline.left()))):
                break
        if self._alive():
            LOG.warning("workers that did not end in time are killed")
            self._tell(signal.SIGKILL)
        return 0

    def _alive(self) -> bool:
        for slot in self._slots:
            if slot.pid:
                with contextlib.suppress(ChildProcessError):
                    if os.waitpid(slot.pid, os.WNOHANG)[0] == 0:
                        continue
                slot.pid = 0
        return any(slot.pid for slot in self._slots)


def _end_with_parent(life: int) -> None:
    """Runs in a native thread of a worker, also under eventlet: nothing here may be green."""
    concurrency.native_module("os").read(life, 1)
    os.kill(os.getpid(), signal.SIGTERM)
