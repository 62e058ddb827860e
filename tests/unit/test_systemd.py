from __future__ import annotations

import fcntl
import os
import pathlib
import socket
from collections.abc import Iterator

import pytest

from nova_lite import systemd


@pytest.fixture
def listener(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    path = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind(path)
        sock.settimeout(5)
        monkeypatch.setenv("NOTIFY_SOCKET", path)
        yield sock


def test_states_are_sent(listener: socket.socket) -> None:
    systemd.ready("serving")
    assert listener.recv(1000) == b"READY=1\nSTATUS=serving"
    systemd.stopping("draining")
    assert listener.recv(1000) == b"STOPPING=1\nSTATUS=draining"
    systemd.alive()
    assert listener.recv(1000) == b"WATCHDOG=1"
    systemd.status("x")
    assert listener.recv(1000) == b"STATUS=x"
    systemd.reloading("reloading")
    lines = listener.recv(1000).decode().split("\n")
    assert lines[0] == "RELOADING=1"
    assert int(lines[1].removeprefix("MONOTONIC_USEC=")) > 0


def test_abstract_sockets_are_reached(monkeypatch: pytest.MonkeyPatch) -> None:
    name = f"nova-lite-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind("\0" + name)
        sock.settimeout(5)
        monkeypatch.setenv("NOTIFY_SOCKET", "@" + name)
        assert systemd.notify("READY=1")
        assert sock.recv(100) == b"READY=1"


def test_without_systemd_nothing_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    assert not systemd.notify("READY=1")
    monkeypatch.setenv("NOTIFY_SOCKET", "/nonexistent/socket")
    assert not systemd.notify("READY=1")


@pytest.mark.parametrize(
    ("usec", "pid", "expected"),
    [("60000000", None, 30.0), ("60000000", "ours", 30.0), ("60000000", "1", None), ("0", None, None),
     ("x", None, None), (None, None, None)],
)  # fmt: skip
def test_watchdog_interval(
    monkeypatch: pytest.MonkeyPatch, usec: str | None, pid: str | None, expected: float | None
) -> None:
    pid = str(os.getpid()) if pid == "ours" else pid
    for name, value in (("WATCHDOG_USEC", usec), ("WATCHDOG_PID", pid)):
        monkeypatch.delenv(name, raising=False)
        if value is not None:
            monkeypatch.setenv(name, value)
    assert systemd.watchdog_interval_s() == expected


UNITS = sorted((pathlib.Path(__file__).resolve().parents[2] / "etc" / "systemd").glob("*.service"))


@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.name)
def test_units_wait_for_the_drain_and_reload_by_hup(unit: pathlib.Path) -> None:
    """TimeoutStopSec stays above the default of graceful_shutdown_timeout."""
    from nova_lite.conf import default

    drain_s = next(option.default for option in default.OPTIONS if option.name == "graceful_shutdown_timeout")
    lines = dict(line.split("=", 1) for line in unit.read_text().splitlines() if "=" in line and line[0] != "#")
    assert lines["Type"] == "notify"
    assert lines["ExecReload"] == "/bin/kill -HUP $MAINPID"
    assert int(lines["TimeoutStopSec"].removesuffix("s")) > drain_s
    assert lines["ExecStart"].startswith(f"/usr/bin/{unit.stem.rstrip('@')} ")


def test_every_daemon_has_a_unit() -> None:
    assert len(UNITS) == 7


# -- sockets that systemd holds --------------------------------------------------------------------------------------


@pytest.fixture
def handed(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[socket.socket]]:
    """Two listening sockets, as systemd hands them over; here one after the other where nothing of pytest's lies."""
    socks = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
    numbers = [fcntl.fcntl(sock, fcntl.F_DUPFD_CLOEXEC, 500) for sock in socks]
    assert numbers[1] == numbers[0] + 1
    monkeypatch.setattr(systemd, "_FIRST", numbers[0])
    monkeypatch.setenv("LISTEN_PID", str(os.getpid()))
    monkeypatch.setenv("LISTEN_FDS", str(len(numbers)))
    yield socks
    for number in numbers:
        os.close(number)
    for sock in socks:
        sock.close()


def test_the_socket_of_an_address_is_found(handed: list[socket.socket]) -> None:
    host, port = handed[1].getsockname()
    found = systemd.inherited(host, port)
    assert found is not None and found.getsockname() == (host, port)
    found.close()
    with socket.create_connection((host, port), timeout=5):
        handed[1].accept()[0].close()  # it goes on listening


def test_sockets_of_others_are_left_alone(handed: list[socket.socket], monkeypatch: pytest.MonkeyPatch) -> None:
    host, port = handed[0].getsockname()
    assert systemd.inherited(host, 1) is None
    monkeypatch.setenv("LISTEN_PID", "1")
    assert systemd.inherited(host, port) is None
    monkeypatch.delenv("LISTEN_PID")
    assert systemd.inherited(host, port) is None
