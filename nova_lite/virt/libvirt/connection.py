"""The connection to libvirtd: the only owner of its socket.

libvirt's event loop runs on one native thread for the whole process; what its callbacks say crosses to our side by a
bridge. Calls go through ``run``, which lets other green threads live meanwhile and turns libvirt's errors into ours.
When libvirtd goes away the connection opens again by itself, and whoever asked to be told looks at all guests anew.
"""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Callable
from typing import Any

import libvirt

from nova_lite import clock, concurrency, exception
from nova_lite.virt.libvirt.options import Options

LOG = logging.getLogger(__name__)

RETRY_S = 0.2
REOPEN_S = 1.0
OPEN_TIMEOUT_S = 30.0
KEEPALIVE_COUNT = 5

_LOST = object()
_loop_lock = concurrency.Lock()
_loop_started = False

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
    :param on_reconnect: called after the connection came back: events may have been missed.
    """

    def __init__(
        self,
        options: Options,
        on_event: Callable[[Event], None] | None = None,
        on_reconnect: Callable[[], None] | None = None,
    ) -> None:
        self._options = options
        self._on_event = on_event
        self._on_reconnect = on_reconnect
        self._lock = concurrency.Semaphore(1)
        self._conn: Any = None
        self._event_id = -1
        self._opening: concurrency.Handle | None = None
        self._bridge: concurrency.Bridge | None = None
        self.trouble: str | None = None  # why the last attempt to open failed, for the log
        self._was_open = False
        self._returning = False
        self._closed = False

    # -- calls ----------------------------------------------------------------------------------------

    def run(self, fn: Callable[..., Any], *args: Any) -> Any:
        """Call a libvirt function beside other work.

        :raises HypervisorUnavailable: libvirtd is gone.
        :raises GuestNotFound: there is no such domain.
        :raises LibvirtError: it refused.
        """
        try:
            return concurrency.run_blocking(fn, *args)
        except libvirt.libvirtError as error:
            raise self._translated(error) from error

    def call(self, method: str, *args: Any) -> Any:
        """Call a method of the connection, opening it first where it is not; errors as :meth:`run`.

        Once more where libvirtd went away under it: what is called here may be called again.
        """
        conn = self.get()
        try:
            return self.run(getattr(conn, method), *args)
        except exception.HypervisorUnavailable:
            return self.run(getattr(self.get(), method), *args)

    def get(self, wait_s: float | None = None) -> Any:
        """A living virConnect.

        :raises HypervisorUnavailable: it did not come back within ``wait_s``, by default ``reconnect_wait_s``.
        """
        deadline = clock.Deadline(self._options.reconnect_wait_s if wait_s is None else wait_s)
        with self._lock:
            while True:
                if self._conn is not None and self._is_alive():
                    return self._conn
                try:
                    self._open()
                except exception.HypervisorUnavailable:
                    if deadline.passed() or self._closed:
                        LOG.warning("no connection to the hypervisor: %s", self.trouble)
                        self._keep_trying()
                        raise
                    concurrency.sleep(RETRY_S)

    def close(self) -> None:
        """Let go; nothing is opened again."""
        self._closed = True
        with self._lock:
            self._forget()
            bridge, self._bridge = self._bridge, None
        if bridge is not None:
            bridge.close()

    def check(self) -> str | None:
        """None when libvirtd answers now, else what is wrong."""
        try:
            self.run(self.get(0).getLibVersion)
        except exception.NovaLiteError as error:
            return str(error)
        return None

    # -- life of the connection -----------------------------------------------------------------------

    def _is_alive(self) -> bool:
        try:
            return bool(self._conn.isAlive())  # looks at the socket only, asks nobody
        except libvirt.libvirtError:
            return False

    def _open(self) -> None:
        """Open and subscribe. One attempt at a time, also where an earlier one hangs in a libvirtd that is stopped."""
        self._forget()
        if self._closed:
            raise self._unavailable()
        if self._bridge is None:
            self._bridge = concurrency.Bridge(self._deliver, name="libvirt-events")
        start_event_loop()
        if self._opening is None:
            self._opening = concurrency.spawn(concurrency.run_blocking, self._open_native)
        try:
            conn = self._opening.wait(OPEN_TIMEOUT_S)
        except TimeoutError as error:
            self.trouble = f"{self._options.uri} does not answer within {OPEN_TIMEOUT_S:.0f} s"
            raise self._unavailable() from error
        except libvirt.libvirtError as error:
            self.trouble = f"{self._options.uri}: {error.get_error_message()}"
            self._opening = None
            raise self._unavailable() from error
        self._opening = None
        self._conn = conn
        LOG.info("connected to %s", self._options.uri)
        if self._was_open and self._on_reconnect is not None:
            concurrency.spawn(self._on_reconnect)
        self._was_open = True

    def _open_native(self) -> Any:
        """On a native thread: nothing green may be touched here."""
        conn = libvirt.open(self._options.uri)
        try:
            conn.setKeepAlive(self._options.keepalive_s, KEEPALIVE_COUNT)
        except libvirt.libvirtError as error:
            if error.get_error_code() != libvirt.VIR_ERR_NO_SUPPORT:
                raise
        bridge = self._bridge
        if bridge is not None:
            conn.registerCloseCallback(_closed_by_peer, bridge)
            self._event_id = conn.domainEventRegisterAny(
                None, libvirt.VIR_DOMAIN_EVENT_ID_LIFECYCLE, _lifecycle, bridge
            )
        return conn

    def _forget(self) -> None:
        conn, self._conn = self._conn, None
        if conn is not None:
            concurrency.run_blocking(_close_native, conn, self._event_id)

    def _deliver(self, item: Any) -> None:
        """On our side of the bridge."""
        if item[0] is _LOST:
            LOG.warning("the connection to %s broke: %s", self._options.uri, item[1])
            self._keep_trying()
        elif self._on_event is not None:
            self._on_event(item)

    def _keep_trying(self) -> None:
        """Open again beside other work: events must flow again though nobody calls."""
        if self._was_open and not self._closed and not self._returning:
            self._returning = True
            concurrency.spawn(self._come_back)

    def _come_back(self) -> None:
        try:
            while not self._closed:
                try:
                    self.get()
                    return
                except exception.HypervisorUnavailable:
                    concurrency.sleep(REOPEN_S)
        finally:
            self._returning = False

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


# -- on native threads ------------------------------------------------------------------------------------------------


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


def _closed_by_peer(_conn: Any, reason: int, bridge: concurrency.Bridge) -> None:
    bridge.put((_LOST, f"reason {reason}"))


def _lifecycle(_conn: Any, domain: Any, event: int, detail: int, bridge: concurrency.Bridge) -> None:
    bridge.put((domain.UUIDString(), event, detail, time.monotonic()))


def _close_native(conn: Any, event_id: int) -> None:
    """Each callback holds the connection: without all three steps it would never be freed."""
    for step in (lambda: conn.domainEventDeregisterAny(event_id), conn.unregisterCloseCallback, conn.close):
        with contextlib.suppress(libvirt.libvirtError):  # the peer is dead, or never took the subscription
            step()
