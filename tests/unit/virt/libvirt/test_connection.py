"""The connection against a libvirt of our own making; the real one is in tests/integration."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

libvirt = pytest.importorskip("libvirt", reason="no libvirt binding")

from nova_lite import exception  # noqa: E402
from nova_lite.virt.libvirt import connection as module  # noqa: E402
from nova_lite.virt.libvirt.connection import Connection, LibvirtError  # noqa: E402
from nova_lite.virt.libvirt.options import Options  # noqa: E402


def error(code: int, domain: int = 0, text: str = "said libvirt") -> Any:
    made = libvirt.libvirtError("")
    made.err = (code, domain, text, 2, None, None, None, 0, 0)
    return made


class Conn:
    """virConnect."""

    def __init__(self) -> None:
        self.alive = True
        self.closed = False
        self.close_callback: Any = None
        self.event_callback: Any = None

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

    def unregisterCloseCallback(self) -> None:  # noqa: N802
        raise error(libvirt.VIR_ERR_INTERNAL_ERROR)

    def close(self) -> None:
        self.closed = True

    def getLibVersion(self) -> int:  # noqa: N802
        if not self.alive:
            raise error(libvirt.VIR_ERR_INTERNAL_ERROR, libvirt.VIR_FROM_RPC, "client socket is closed")
        return 9


class Domain:
    def UUIDString(self) -> str:  # noqa: N802
        return "uuid-1"


class Libvirtd:
    def __init__(self) -> None:
        self.conns: list[Conn] = []
        self.refuse = 0

    def open(self, uri: str) -> Conn:
        if self.refuse:
            self.refuse -= 1
            raise error(libvirt.VIR_ERR_SYSTEM_ERROR, libvirt.VIR_FROM_RPC, "no such socket")
        self.conns.append(Conn())
        return self.conns[-1]

    def die(self) -> None:
        self.conns[-1].alive = False
        self.conns[-1].close_callback(1)


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


def test_opened_once(connection: Connection, libvirtd: Libvirtd) -> None:
    assert connection.call("getLibVersion") == 9
    assert connection.get() is connection.get()
    assert len(libvirtd.conns) == 1
    assert connection.check() is None


def test_waits_for_a_libvirtd_that_starts(connection: Connection, libvirtd: Libvirtd) -> None:
    libvirtd.refuse = 3
    assert connection.call("getLibVersion") == 9


def test_gives_up_after_its_time(connection: Connection, libvirtd: Libvirtd) -> None:
    libvirtd.refuse = 1_000_000
    started = time.monotonic()
    with pytest.raises(exception.HypervisorUnavailable, match="h1"):
        connection.get(0.05)
    assert time.monotonic() - started < 0.9
    check = connection.check()
    assert check is not None
    assert "h1" in check


def test_a_dead_connection_is_replaced_and_closed(connection: Connection, libvirtd: Libvirtd) -> None:
    connection.get()
    libvirtd.conns[0].alive = False
    assert connection.call("getLibVersion") == 9
    assert libvirtd.conns[0].closed


def test_comes_back_by_itself_and_says_so(connection: Connection, libvirtd: Libvirtd, heard: Heard) -> None:
    connection.get()
    libvirtd.refuse = 2
    libvirtd.die()
    assert heard.reconnected.wait(5)
    assert len(libvirtd.conns) == 2
    libvirtd.conns[1].event_callback(Domain(), 2, 0)
    assert heard.told.wait(5)


def test_a_call_that_comes_first_reconnects_once(connection: Connection, libvirtd: Libvirtd, heard: Heard) -> None:
    """The news of the death of an older connection changes nothing."""
    connection.get()
    libvirtd.conns[0].alive = False
    connection.get()
    assert heard.reconnected.wait(5)
    heard.reconnected.clear()
    libvirtd.conns[0].close_callback(1)
    libvirtd.conns[1].event_callback(Domain(), 2, 0)
    assert heard.told.wait(5)  # delivered in order: the death came before it
    assert not heard.reconnected.wait(0.1)
    assert len(libvirtd.conns) == 2


def test_goes_on_trying_after_a_call_gave_up(connection: Connection, libvirtd: Libvirtd, heard: Heard) -> None:
    connection.get()
    libvirtd.conns[0].alive = False
    libvirtd.refuse = 5
    with pytest.raises(exception.HypervisorUnavailable):
        connection.get(0)
    assert heard.reconnected.wait(5)


def test_events_arrive_in_order(connection: Connection, libvirtd: Libvirtd, heard: Heard) -> None:
    connection.get()
    for detail in range(100):
        libvirtd.conns[0].event_callback(Domain(), 2, detail)
    connection.close()
    assert [(uuid, number, detail) for uuid, number, detail, _ in heard.events] == [
        ("uuid-1", 2, detail) for detail in range(100)
    ]
    assert all(abs(time.monotonic() - at) < 60 for *_, at in heard.events)


def test_closed_stays_closed(connection: Connection, libvirtd: Libvirtd) -> None:
    connection.get()
    connection.close()
    connection.close()
    assert libvirtd.conns[0].closed
    with pytest.raises(exception.HypervisorUnavailable):
        connection.get()


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
        with pytest.raises(exception.HypervisorUnavailable):
            connection.get(0)
    release.set()
    assert connection.call("getLibVersion") == 9
    assert len(attempts) == 1


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
    def call() -> None:
        raise error(code, domain)

    return call


@pytest.mark.parametrize(("code", "domain"), GONE)
def test_libvirtd_is_gone(connection: Connection, code: int, domain: int) -> None:
    with pytest.raises(exception.HypervisorUnavailable, match="h1"):
        connection.run(raising(code, domain))


@pytest.mark.parametrize(("code", "domain"), REFUSED)
def test_libvirt_refused(connection: Connection, code: int, domain: int) -> None:
    with pytest.raises(LibvirtError, match="said libvirt") as caught:
        connection.run(raising(code, domain))
    assert caught.value.code == code


def test_no_such_domain(connection: Connection) -> None:
    with pytest.raises(exception.GuestNotFound):
        connection.run(raising(libvirt.VIR_ERR_NO_DOMAIN, libvirt.VIR_FROM_QEMU))
