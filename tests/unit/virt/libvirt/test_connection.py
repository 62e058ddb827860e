"""The connection against a libvirt of our own making; the real one is in tests/integration."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

libvirt = pytest.importorskip("libvirt", reason="no libvirt binding")

from nova_lite import concurrency, exception  # noqa: E402
from nova_lite.virt.libvirt import connection as module  # noqa: E402
from nova_lite.virt.libvirt.connection import Connection, LibvirtError  # noqa: E402
from nova_lite.virt.libvirt.options import Options  # noqa: E402


def error(code: int, domain: int = 0, text: str = "said libvirt") -> Any:
    made = libvirt.libvirtError("")
    made.err = (code, domain, text, 2, None, None, None, 0, 0)
    return made


class Conn:
    """virConnect; remembers how many calls were under way on it at once."""

    def __init__(self) -> None:
        self.alive = True
        self.closed = False
        self.close_callback: Any = None
        self.event_callback: Any = None
        self.busy = 0
        self.busiest = 0

    def isAlive(self) -> bool:  # noqa: N802
        return self.alive

    def setKeepAlive(self, interval: int, count: int) -> None:  # noqa: N802
        assert (interval, count) == (5, 5)

    def registerCloseCallback(self, callback: Any, opaque: Any) -> None:  # noqa: N802
        self.close_callback = lambda reason: callback(self, reason, opaque)

    def domainEventRegisterAny(self, domain: Any, event: int, callback: Any, opaque: Any) -> int:  # noqa: N802
        self.event_callback = lambda guest, number, detail: callback(self, guest, number, detail, opaque)
        return 7

    def domainEventDeregisterAny(self, number: int) -> None:  # noqa: N802
        assert number == 7
        raise error(libvirt.VIR_ERR_INTERNAL_ERROR)

    def unregisterCloseCallback(self) -> None:  # noqa: N802
        raise error(libvirt.VIR_ERR_INTERNAL_ERROR)

    def close(self) -> None:
        assert not self.busy, "closed under a call"
        self.closed = True

    def getLibVersion(self) -> int:  # noqa: N802
        self.busy += 1
        self.busiest = max(self.busy, self.busiest)
        time.sleep(0.01)
        self.busy -= 1
        if not self.alive:
            raise error(libvirt.VIR_ERR_INTERNAL_ERROR, libvirt.VIR_FROM_RPC, "client socket is closed")
        return 9

    def lookupByUUIDString(self, uuid: str) -> Domain:  # noqa: N802
        return Domain()


class Domain:
    def UUIDString(self) -> str:  # noqa: N802
        return "uuid-1"

    def state(self, *args: Any) -> tuple[Any, ...]:
        return args


class Libvirtd:
    """``listening`` is the connection that has subscribed last."""

    def __init__(self) -> None:
        self.conns: list[Conn] = []
        self.refuse = 0

    def open(self, uri: str) -> Conn:
        if self.refuse:
            self.refuse -= 1
            raise error(libvirt.VIR_ERR_SYSTEM_ERROR, libvirt.VIR_FROM_RPC, "no such socket")
        self.conns.append(Conn())
        return self.conns[-1]

    @property
    def listening(self) -> Conn:
        return [conn for conn in self.conns if conn.event_callback][-1]

    def die(self) -> None:
        listener = self.listening
        for conn in self.conns:
            conn.alive = False
        listener.close_callback(1)


@pytest.fixture
def libvirtd(monkeypatch: pytest.MonkeyPatch) -> Libvirtd:
    made = Libvirtd()
    monkeypatch.setattr(module.libvirt, "open", made.open)
    monkeypatch.setattr(module, "start_event_loop", lambda: None)
    monkeypatch.setattr(module, "RETRY_S", 0.01)
    monkeypatch.setattr(module, "REOPEN_S", 0.01)
    return made


class Heard:
    def __init__(self) -> None:
        self.events: list[Any] = []
        self.reconnected = threading.Event()
        self.told = threading.Event()

    def event(self, event: Any) -> None:
        self.events.append(event)
        self.told.set()

    def reconnect(self) -> None:
        self.reconnected.set()


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture
def connection(libvirtd: Libvirtd, heard: Heard) -> Iterator[Connection]:
    options = Options(instances_path="/", host="h1", reconnect_wait_s=1)
    made = Connection(options, heard.event, heard.reconnect)
    yield made
    made.close()


# -- calls ------------------------------------------------------------------------------------------------------------


def test_one_connection_serves_calls_one_after_the_other(connection: Connection, libvirtd: Libvirtd) -> None:
    for _ in range(3):
        assert connection.call("getLibVersion") == 9
    assert connection.check() is None
    assert len(libvirtd.conns) == 1


def test_calls_at_once_never_share_a_connection(connection: Connection, libvirtd: Libvirtd) -> None:
    handles = [concurrency.spawn(connection.call, "getLibVersion") for _ in range(3 * module.CALLS)]
    assert [handle.wait(10) for handle in handles] == [9] * 3 * module.CALLS
    assert {conn.busiest for conn in libvirtd.conns} == {1}
    assert 1 < len(libvirtd.conns) <= module.CALLS


def test_calls_on_a_domain(connection: Connection) -> None:
    assert connection.on_domain("uuid-1", "state", 1, 2) == (1, 2)
    assert connection.apply(lambda conn, word: word, "hello") == "hello"


def test_waits_for_a_libvirtd_that_starts(connection: Connection, libvirtd: Libvirtd) -> None:
    libvirtd.refuse = 3
    assert connection.call("getLibVersion") == 9


def test_gives_up_after_its_time(connection: Connection, libvirtd: Libvirtd) -> None:
    libvirtd.refuse = 1_000_000
    started = time.monotonic()
    with pytest.raises(exception.HypervisorUnavailable, match="h1: qemu:///system: no such socket"):
        connection.connect(0.05)
    assert time.monotonic() - started < 5
    check = connection.check()
    assert check is not None
    assert "h1" in check


def test_a_connection_that_died_idle_is_replaced(connection: Connection, libvirtd: Libvirtd) -> None:
    connection.call("getLibVersion")
    libvirtd.conns[0].alive = False
    assert connection.call("getLibVersion") == 9
    assert libvirtd.conns[0].closed


def test_a_call_under_which_libvirtd_dies_is_made_again(connection: Connection, libvirtd: Libvirtd) -> None:
    def dies_first(conn: Conn) -> int:
        if conn is libvirtd.conns[0]:
            conn.alive = False
        return conn.getLibVersion()

    connection.call("getLibVersion")
    assert connection.apply(dies_first) == 9
    assert [conn.closed for conn in libvirtd.conns] == [True, False]


def test_what_has_not_heard_of_the_death_yet_is_not_asked_again(connection: Connection, libvirtd: Libvirtd) -> None:
    """Neither the connection under the call, nor one that lay idle beside it."""
    old = [libvirtd.open(""), libvirtd.open("")]
    connection._idle[:] = old

    def call(conn: Conn) -> str:
        if conn in old:
            raise error(libvirt.VIR_ERR_SYSTEM_ERROR, libvirt.VIR_FROM_RPC, "Cannot write data: Broken pipe")
        return "answered"

    assert connection.apply(call) == "answered"
    assert all(conn.alive and conn.closed for conn in old) and connection._broken == []


def test_a_call_is_made_again_only_once(connection: Connection, libvirtd: Libvirtd) -> None:
    def dies_always(conn: Conn) -> int:
        conn.alive = False
        return conn.getLibVersion()

    with pytest.raises(exception.HypervisorUnavailable):
        connection.apply(dies_always)
    assert len(libvirtd.conns) == 2


def test_closed_stays_closed(connection: Connection, libvirtd: Libvirtd) -> None:
    connection.connect(1)
    connection.close()
    connection.close()
    assert all(conn.closed for conn in libvirtd.conns if conn is not libvirtd.listening)
    with pytest.raises(exception.HypervisorUnavailable):
        connection.call("getLibVersion")


def test_one_attempt_at_a_time_where_libvirtd_hangs(
    connection: Connection, libvirtd: Libvirtd, monkeypatch: pytest.MonkeyPatch
) -> None:
    release, attempts = threading.Event(), []

    def hang(uri: str) -> Conn:
        attempts.append(uri)
        release.wait(10)
        return libvirtd.open(uri)

    monkeypatch.setattr(module.libvirt, "open", hang)
    monkeypatch.setattr(module, "OPEN_TIMEOUT_S", 0.05)
    for _ in range(2):
        assert connection.check() is not None
    # Patience comes back with libvirtd, however busy the machine is.
    monkeypatch.setattr(module, "OPEN_TIMEOUT_S", 30)
    release.set()
    assert connection.call("getLibVersion") == 9
    assert len(attempts) == 1


# -- events -----------------------------------------------------------------------------------------------------------


def test_the_listener_comes_back_by_itself_and_says_so(
    connection: Connection, libvirtd: Libvirtd, heard: Heard
) -> None:
    connection.connect(1)
    first = libvirtd.listening
    libvirtd.refuse = 2
    libvirtd.die()
    assert heard.reconnected.wait(5)
    assert libvirtd.listening is not first
    assert first.closed
    libvirtd.listening.event_callback(Domain(), 2, 0)
    assert heard.told.wait(5)


def test_the_first_connection_is_no_reconnection(connection: Connection, heard: Heard, libvirtd: Libvirtd) -> None:
    connection.connect(1)
    connection.connect(1)
    assert len(libvirtd.conns) == 2, "one for calls, one that listens"
    assert not heard.reconnected.wait(0.05)


def test_events_arrive_in_order(connection: Connection, libvirtd: Libvirtd, heard: Heard) -> None:
    connection.connect(1)
    for detail in range(100):
        libvirtd.listening.event_callback(Domain(), 2, detail)
    connection.close()
    assert [(uuid, number, detail) for uuid, number, detail, _ in heard.events] == [
        ("uuid-1", 2, detail) for detail in range(100)
    ]
    assert all(abs(time.monotonic() - at) < 60 for *_, at in heard.events)


# -- errors -----------------------------------------------------------------------------------------------------------

GONE = [
    (libvirt.VIR_ERR_NO_CONNECT, 0),
    (libvirt.VIR_ERR_INVALID_CONN, 0),
    (libvirt.VIR_ERR_SYSTEM_ERROR, libvirt.VIR_FROM_RPC),
    (libvirt.VIR_ERR_INTERNAL_ERROR, libvirt.VIR_FROM_RPC),
    (libvirt.VIR_ERR_INTERNAL_ERROR, libvirt.VIR_FROM_REMOTE),
]
REFUSED = [
    (libvirt.VIR_ERR_SYSTEM_ERROR, libvirt.VIR_FROM_QEMU),
    (libvirt.VIR_ERR_INTERNAL_ERROR, libvirt.VIR_FROM_QEMU),
    (libvirt.VIR_ERR_OPERATION_INVALID, libvirt.VIR_FROM_QEMU),
    (libvirt.VIR_ERR_OPERATION_TIMEOUT, libvirt.VIR_FROM_RPC),
]


def raising(code: int, domain: int) -> Any:
    def call(conn: Conn) -> None:
        raise error(code, domain)

    return call


@pytest.mark.parametrize(("code", "domain"), GONE)
def test_libvirtd_is_gone(connection: Connection, code: int, domain: int) -> None:
    with pytest.raises(exception.HypervisorUnavailable, match="h1"):
        connection.apply(raising(code, domain))


@pytest.mark.parametrize(("code", "domain"), REFUSED)
def test_libvirt_refused(connection: Connection, code: int, domain: int) -> None:
    with pytest.raises(LibvirtError, match="said libvirt") as caught:
        connection.apply(raising(code, domain))
    assert caught.value.code == code


def test_no_such_domain(connection: Connection) -> None:
    with pytest.raises(exception.GuestNotFound):
        connection.apply(raising(libvirt.VIR_ERR_NO_DOMAIN, libvirt.VIR_FROM_QEMU))
