"""Connections to libvirtd: the only owner of its sockets.

A call has a connection to itself while it lasts. That is not for speed: where a connection with several calls under way
is broken by the keepalive (libvirtd hangs), libvirt's client of 9.0 wakes only one of them and later uses freed memory.
So calls lease connections from a small pool, and one more connection only listens to events.

libvirt's event loop runs on one native thread for the whole process; what its callbacks say crosses to our side by a
bridge. When libvirtd goes away the listener comes back by itself; whoever asked to be told then looks at all guests.
"""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Callable, Iterator
from typing import Any

import libvirt

from nova_lite import clock, concurrency, exception
from nova_lite.virt.libvirt.options import Options

LOG = logging.getLogger(__name__)

CALLS = 10  # at once; libvirtd has 20 workers, eventlet 20 native threads
RETRY_S = 0.2
REOPEN_S = 1.0
OPEN_TIMEOUT_S = 30.0
LISTEN_TIMEOUT_S = 10.0
KEEPALIVE_COUNT = 5

_TRANSPORT = (libvirt.VIR_FROM_REMOTE, libvirt.VIR_FROM_RPC)
_GONE = (libvirt.VIR_ERR_NO_CONNECT, libvirt.VIR_ERR_INVALID_CONN, libvirt.VIR_ERR_AUTH_UNAVAILABLE)
_BROKEN = (libvirt.VIR_ERR_SYSTEM_ERROR, libvirt.VIR_ERR_INTERNAL_ERROR)

Event = tuple[str, int, int, float]


class LibvirtError(exception.NovaLiteError):
    """libvirt refused; ``code`` is its error number. The text is for the log."""

    def __init__(self, message: str | None = None, **facts: Any) -> None:
        super().__init__(message, **facts)
        self.code: int = facts.get("code", 0)


class Connection:
    """:param on_event: gets (uuid, event, detail, monotonic seconds) of each lifecycle event, in order.
    :param on_reconnect: called after the listener came back: events may have been missed.
    """

    def __init__(
        self,
        options: Options,
        on_event: Callable[[Event], None] | None = None,
        on_reconnect: Callable[[], None] | None = None,
    ) -> None:
        self._options = options
        self._slots = concurrency.Semaphore(CALLS)
        self._opener = concurrency.Semaphore(1)
        self._idle: list[Any] = []
        self._broken: list[Any] = []  # in use, and not to be used again, whatever they say of themselves
        self._opening: concurrency.Handle | None = None
        self._listener = Listener(options.uri, self._open_native, on_event, on_reconnect)
        self._closed = False
        self.trouble: str | None = None  # why the last attempt to open failed, for the log

    # -- calls ----------------------------------------------------------------------------------------

    def call(self, method: str, *args: Any) -> Any:
        """Call a method of virConnect; as :meth:`apply`."""
        return self.apply(_call, method, args)

    def on_domain(self, uuid: str, method: str, *args: Any) -> Any:
        """Call a method of the domain with this uuid; as :meth:`apply`. :raises GuestNotFound: there is none."""
        return self.apply(_call_domain, uuid, method, args)

    def apply(self, fn: Callable[..., Any], *args: Any) -> Any:
        """Call ``fn(virConnect, *args)`` on a native thread, beside other work.

        Once more where libvirtd went away under it: what is called here may be called again.

        :raises HypervisorUnavailable: libvirtd did not come back within ``reconnect_wait_s``.
        :raises GuestNotFound: there is no such domain.
        :raises LibvirtError: it refused.
        """
        with self._lease(self._options.reconnect_wait_s) as conn:
            try:
                return self._run(fn, conn, *args)
            except exception.HypervisorUnavailable as error:
                LOG.info("a call is tried again on a new connection: %s", error.__cause__)
                self._broken.append(conn)
                self._drop_idle()  # they are to the same libvirtd, and may not have heard of its end yet, either
        with self._lease(self._options.reconnect_wait_s) as conn:
            return self._run(fn, conn, *args)

    def _run(self, fn: Callable[..., Any], *args: Any) -> Any:
        try:
            return concurrency.run_blocking(fn, *args)
        except libvirt.libvirtError as error:
            raise self._translated(error) from error

    # -- life -----------------------------------------------------------------------------------------

    def connect(self, wait_s: float) -> None:
        """Prove that libvirtd answers, and listen to events from now on.

        :raises HypervisorUnavailable: it does not answer within ``wait_s``; the text says why, for the log.
        """
        try:
            with self._lease(wait_s):
                pass
        except exception.HypervisorUnavailable as error:
            raise exception.HypervisorUnavailable(f"{error}: {self.trouble}") from error
        self._listener.start(LISTEN_TIMEOUT_S)

    def check(self) -> str | None:
        """None when libvirtd answers now, else what is wrong."""
        try:
            with self._lease(0) as conn:
                self._run(_call, conn, "getLibVersion", ())
        except exception.NovaLiteError as error:
            return str(error)
        return None

    def close(self) -> None:
        """Let go; nothing is opened again."""
        self._closed = True
        self._listener.close()
        self._drop_idle()

    @contextlib.contextmanager
    def _lease(self, wait_s: float) -> Iterator[Any]:
        """A living connection that nobody else uses meanwhile."""
        with self._slots:
            conn = self._take(clock.Deadline(wait_s))
            try:
                yield conn
            finally:
                if conn in self._broken:
                    self._broken.remove(conn)
                    self._drop(conn)
                elif self._closed or not _is_alive(conn):
                    self._drop(conn)
                else:
                    self._idle.append(conn)

    def _take(self, deadline: clock.Deadline) -> Any:
        while True:
            while self._idle:
                conn = self._idle.pop()
                if _is_alive(conn):
                    return conn
                self._drop(conn)
            try:
                return self._open()
            except exception.HypervisorUnavailable:
                if deadline.passed() or self._closed:
                    LOG.warning("no connection to the hypervisor: %s", self.trouble)
                    raise
                concurrency.sleep(RETRY_S)

    def _open(self) -> Any:
        """One attempt at a time. One that hangs, in a libvirtd that is stopped, is neither doubled nor waited for."""
        if self._closed:
            raise self._unavailable()
        with self._opener:
            patience_s = 0.1 if self._opening else OPEN_TIMEOUT_S
            if self._opening is None:
                start_event_loop()
                self._opening = concurrency.spawn(concurrency.run_blocking, self._open_native)
            try:
                conn = self._opening.wait(patience_s)
            except TimeoutError as error:
                self.trouble = f"{self._options.uri} does not answer"
                raise self._unavailable() from error
            except libvirt.libvirtError as error:
                self.trouble = f"{self._options.uri}: {error.get_error_message()}"
                self._opening = None
                raise self._unavailable() from error
            self._opening = None
            return conn

    def _open_native(self) -> Any:
        """On a native thread: nothing green may be touched here."""
        conn = libvirt.open(self._options.uri)
        try:
            conn.setKeepAlive(self._options.keepalive_s, KEEPALIVE_COUNT)
        except libvirt.libvirtError as error:
            if error.get_error_code() != libvirt.VIR_ERR_NO_SUPPORT:
                raise
        return conn

    def _drop_idle(self) -> None:
        while self._idle:
            self._drop(self._idle.pop())

    def _drop(self, conn: Any) -> None:
        with contextlib.suppress(libvirt.libvirtError):
            concurrency.run_blocking(conn.close)

    # -- errors ---------------------------------------------------------------------------------------

    def _unavailable(self) -> exception.HypervisorUnavailable:
        return exception.HypervisorUnavailable(host=self._options.host)

    def _translated(self, error: libvirt.libvirtError) -> exception.NovaLiteError:
        code, domain = error.get_error_code(), error.get_error_domain()
        if code == libvirt.VIR_ERR_NO_DOMAIN:
            return exception.GuestNotFound(instance_uuid=error.get_str1() or "")
        if code in _GONE or (code in _BROKEN and domain in _TRANSPORT):
            return self._unavailable()
        return LibvirtError(f"libvirt: {error.get_error_message()}", code=code)


class Listener:
    """The connection that only listens, and comes back when it breaks."""

    def __init__(
        self,
        uri: str,
        open_native: Callable[[], Any],
        on_event: Callable[[Event], None] | None,
        on_reconnect: Callable[[], None] | None,
    ) -> None:
        self._uri = uri
        self._open_native = open_native
        self._on_event = on_event
        self._on_reconnect = on_reconnect
        self._bridge: concurrency.Bridge | None = None
        self._listening = concurrency.Event()
        self._lost = concurrency.Event()
        self._closed = False

    def start(self, wait_s: float) -> None:
        """Begin, once; return when events arrive, or after ``wait_s``."""
        if self._bridge is None:
            self._bridge = concurrency.Bridge(self._deliver, name="libvirt-events")
            concurrency.spawn(self._live)
        if not self._listening.wait(wait_s):
            LOG.warning("no events from %s yet", self._uri)

    def close(self) -> None:
        self._closed = True
        self._lost.set()
        if self._bridge is not None:
            self._bridge.close()

    def _live(self) -> None:
        conn: Any = None
        first = True
        while True:
            self._lost.clear()
            if self._closed:  # asked after the signal of close() may have been cleared
                return
            try:
                conn = concurrency.run_blocking(self._subscribe)
            except libvirt.libvirtError:
                concurrency.sleep(REOPEN_S)
                continue
            self._listening.set()
            LOG.info("listening to %s", self._uri)
            if not first and self._on_reconnect is not None:
                concurrency.spawn(self._on_reconnect)
            first = False
            self._lost.wait()
            concurrency.run_blocking(_unsubscribe, *conn)

    def _subscribe(self) -> tuple[Any, int]:
        """On a native thread."""
        conn = self._open_native()
        conn.registerCloseCallback(_closed_by_peer, self._bridge)
        number = conn.domainEventRegisterAny(None, libvirt.VIR_DOMAIN_EVENT_ID_LIFECYCLE, _lifecycle, self._bridge)
        return conn, number

    def _deliver(self, item: Any) -> None:
        """On our side of the bridge."""
        if isinstance(item, int):
            LOG.warning("the connection to %s broke (reason %d)", self._uri, item)
            self._lost.set()
        elif self._on_event is not None:
            self._on_event(item)


# -- on native threads ------------------------------------------------------------------------------------------------

_loop_lock = concurrency.Lock()
_loop_started = False


def start_event_loop() -> None:
    """Register libvirt's event loop, once a process and before any connection, and run it for good."""
    global _loop_started
    with _loop_lock:
        if not _loop_started:
            libvirt.registerErrorHandler(lambda _context, _error: None, None)  # else each error goes to stderr as well
            libvirt.virEventRegisterDefaultImpl()
            concurrency.native_thread(_run_event_loop, name="libvirt-events")
            _loop_started = True


def _run_event_loop() -> None:
    while True:
        try:
            libvirt.virEventRunDefaultImpl()
        except libvirt.libvirtError:  # a poll interrupted; nothing of ours, logging included, may be touched here
            continue


def _call(conn: Any, method: str, args: tuple[Any, ...]) -> Any:
    return getattr(conn, method)(*args)


def _call_domain(conn: Any, uuid: str, method: str, args: tuple[Any, ...]) -> Any:
    return getattr(conn.lookupByUUIDString(uuid), method)(*args)


def _is_alive(conn: Any) -> bool:
    """Looks at the socket only, asks nobody."""
    try:
        return bool(conn.isAlive())
    except libvirt.libvirtError:
        return False


def _closed_by_peer(_conn: Any, reason: int, bridge: concurrency.Bridge) -> None:
    bridge.put(reason)


def _lifecycle(_conn: Any, domain: Any, event: int, detail: int, bridge: concurrency.Bridge) -> None:
    bridge.put((domain.UUIDString(), event, detail, time.monotonic()))


def _unsubscribe(conn: Any, number: int) -> None:
    """Each callback holds the connection: without all three steps it would never be freed."""
    for step in (lambda: conn.domainEventDeregisterAny(number), conn.unregisterCloseCallback, conn.close):
        with contextlib.suppress(libvirt.libvirtError):  # the peer is dead
            step()
