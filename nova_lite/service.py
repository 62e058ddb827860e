"""Service answers RPC on one topic, WSGIService answers HTTP for one application; neither knows any business.

Both are started and stopped by a launcher. ``start`` returns when the service really serves: the RPC consumers are
declared, the application is loaded. ``stop`` gives what is in flight until the deadline.
"""

from __future__ import annotations

import random
import socket
from collections.abc import Callable
from typing import Any

from oslo_config import cfg
from oslo_log import log as logging

from nova_lite import clock, concurrency, exception, listening, rpc, systemd, wsgi
from nova_lite.context import admin_context
from nova_lite.manager import Manager, PeriodicTask

LOG = logging.getLogger(__name__)

# Seconds between two tries to start while a neighbour is not there yet.
RETRY_FIRST_S, RETRY_MAX_S = 0.5, 5.0


class Stopped(Exception):
    """The service was told to stop before it had started."""


def patiently(name: str, step: Callable[[], Any], stopping: Any, limit_s: float | None = None) -> bool:
    """Do the step again until no neighbour that it needs is missing; False when that took longer than ``limit_s``.

    :raises Stopped: ``stopping`` was set first.
    """
    wait_s, deadline = RETRY_FIRST_S, clock.Deadline(limit_s) if limit_s is not None else None
    while not stopping.is_set():
        try:
            step()
            return True
        except exception.Unavailable as error:
            if deadline is not None and deadline.passed():
                LOG.warning("%s: going on without: %s", name, error)
                return False
            LOG.warning("%s cannot start yet, trying again in %.1f s: %s", name, wait_s, error)
            stopping.wait(wait_s)
            wait_s = min(wait_s * 2, RETRY_MAX_S)
    raise Stopped


class Gate:
    """A condition that must hold before the services after it are started.

    :param check: raises Unavailable while it does not hold; any other error ends the process.
    :param limit_s: seconds after which the services are started all the same; None waits for ever.
    """

    def __init__(self, name: str, check: Callable[[], Any], limit_s: float | None = None) -> None:
        self.name = name
        self._check = check
        self._limit_s = limit_s
        self._stopping = concurrency.Event()

    def start(self) -> None:
        patiently(self.name, self._check, self._stopping, self._limit_s)

    def stop(self, timeout_s: float) -> bool:
        self._stopping.set()
        return True

    def reset(self) -> None:
        """Nothing here is mutable."""

    def is_healthy(self) -> bool:
        return True


class Service:
    """A manager, its RPC server and its periodic tasks."""

    def __init__(self, binary: str, topic: str, manager: Manager, host: str) -> None:
        self.name = binary
        self.topic = topic
        self.host = host
        self.manager = manager
        self._server: rpc.Server | None = None
        self._stopping = concurrency.Event()
        self._tasks: list[concurrency.Handle] = []

    def start(self) -> None:
        """Serve; while a neighbour (database, broker, conductor, hypervisor) is missing, wait for it.

        :raises Stopped: stop() came first.
        """
        patiently(self.name, self.manager.init_host, self._stopping)
        server = rpc.get_server(self.topic, self.host, self.manager.endpoints())
        patiently(self.name, server.start, self._stopping)
        self._server = server
        if self._stopping.is_set():
            raise Stopped
        self.manager.start()
        server.answers()  # what is called ready has been asked once, all the way; it says so itself when it is deaf
        self._tasks = [concurrency.spawn(self._repeat, task) for task in self.manager.periodic_tasks()]
        LOG.info("%s serves topic %s on host %s", self.name, self.topic, self.host)

    def _repeat(self, task: PeriodicTask) -> None:
        """Run a periodic task until the end. A little chance keeps many hosts from acting in step."""
        self._stopping.wait(task.delay_s * random.uniform(0.9, 1.1))
        while not self._stopping.is_set():
            begin = clock.monotonic()
            try:
                admin_context().update_store()
                task.run()
            except exception.Unavailable as error:
                LOG.warning("%s: %s cannot be done now: %s", self.name, task.label, error)
            except Exception:
                LOG.exception("%s: %s failed; it is tried again", self.name, task.label)
            took_s = clock.monotonic() - begin
            self._stopping.wait(max(0.0, task.interval_s * random.uniform(0.95, 1.05) - took_s))

    def stop(self, timeout_s: float) -> bool:
        """Drain; True when everything in flight ended within so many seconds."""
        deadline = clock.Deadline(timeout_s)
        self.manager.pre_stop()
        self._stopping.set()
        done = self._within(deadline, self._stop_server)
        return self._within(deadline, self.manager.stop) and done

    def _stop_server(self) -> None:
        if self._server is not None:
            self._server.stop()
            self._server.wait()

    def _within(self, deadline: clock.Deadline, step: Callable[[], Any]) -> bool:
        try:
            concurrency.spawn(step).wait(max(deadline.left(), 0.1))
        except TimeoutError:
            LOG.warning("%s: what was in flight did not end in time", self.name)
            return False
        except Exception:
            LOG.exception("%s did not stop cleanly", self.name)
        return True

    def reset(self) -> None:
        """Mutable options changed."""
        self.manager.reset()

    def is_healthy(self) -> bool:
        """Whether messages come through and the manager is well; asked by the watchdog."""
        return self._server is not None and self.manager.is_healthy() and self._server.answers()


class WSGIService:
    """An application of the Paste file, or one given, on its address.

    Options by name: [DEFAULT] <name>_listen, <name>_listen_port, <name>_workers, enabled_ssl_apis.
    """

    def __init__(
        self,
        name: str,
        load: Callable[[], wsgi.Application],
        conf: cfg.ConfigOpts = cfg.CONF,
        address: tuple[str, int] | None = None,
    ) -> None:
        """:raises ConfigInvalid: the address is taken, or TLS is asked for and its files are not usable."""
        self.name = name
        self._load = load
        self._conf = conf
        self._limits = wsgi.Limits.of(conf)
        self._tls = wsgi.tls_context(conf) if name in conf.enabled_ssl_apis else None
        self.workers: int = 1 if address else getattr(conf, f"{name}_workers")
        host, port = address or (getattr(conf, f"{name}_listen"), getattr(conf, f"{name}_listen_port"))
        given = None if address else systemd.inherited(host, port)
        self._stays = given is not None
        self._is_shared = False
        self._sock: socket.socket | None = given or listening.bind(host, port, not address and conf.wsgi.share_port)
        self.host, self.port = self._sock.getsockname()[:2]
        self._server: wsgi.Server | None = None

    @property
    def url(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'https' if self._tls else 'http'}://{host}:{self.port}"

    def start(self) -> None:
        """:raises ConfigInvalid: the application cannot be made."""
        if self._sock is None:
            raise Stopped
        self._server = wsgi.make_server(
            self.name, self._load(), self._sock, self._limits, self._tls, self._stays, self._is_shared
        )
        self._server.start()
        LOG.info("%s listens on %s", self.name, self.url)

    def stop(self, timeout_s: float) -> bool:
        """Drain; True when every request in flight was answered within so many seconds."""
        server, self._server = self._server, None
        done = server is None or server.stop(timeout_s)
        if not done:
            LOG.warning("%s: requests in flight were cut off after %.0f s", self.name, timeout_s)
        self.close()
        return done

    def share(self) -> None:
        """Others accept there, too: who ends among them must not keep newcomers from the rest."""
        self._is_shared = True

    def refuse(self) -> None:
        """All who share the socket are about to end: the kernel drops newcomers, unless it goes on listening."""
        if self._sock is not None and not self._stays:
            listening.refuse_quietly(self._sock)

    def close(self) -> None:
        """Stop listening."""
        if self._sock is not None:
            self._sock.close()
            self._sock = None

    def reset(self) -> None:
        """Nothing here is mutable."""

    def is_healthy(self) -> bool:
        return self._server is not None
