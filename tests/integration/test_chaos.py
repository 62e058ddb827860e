"""A minute of chaos in the lab and in the embedded cloud. The long runs: ``python -m tests.harness.chaos --help``."""

from __future__ import annotations

import pathlib
import random
import socket
import struct
import threading
from collections.abc import Iterator

import pytest

from nova_lite.db import session
from tests.harness.chaos.embedded_world import EmbeddedWorld
from tests.harness.chaos.lab_world import LabWorld
from tests.harness.chaos.lost_casts import LostCasts
from tests.harness.chaos.proxy import DOWN, UP, Proxy
from tests.harness.chaos.storm import Storm
from tests.harness.chaos.world import World
from tests.harness.laboratory import Laboratory

pytestmark = pytest.mark.timeout(600)


@pytest.fixture(autouse=True)
def books() -> Iterator[None]:
    """The books of a world are read by this process; the next test has others."""
    yield
    session.dispose()


def _weather(world: World, seed: int, faults: tuple[str, ...]) -> None:
    """Each fault once, and nothing wrong afterwards."""
    try:
        world.start()
        report = Storm(world, seed, clients=3, patience=0.2).run(0, faults, rounds=len(faults))
    finally:
        world.stop()
    assert not report.violations, str(report)
    assert {one.fault for one in report.rounds} == set(faults), str(report)
    assert report.outcomes.get("done", 0) >= 5, str(report)


def test_the_lab(laboratory: Laboratory, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """``laboratory`` only sees to it that all is installed: this lab is one of our own."""
    monkeypatch.setenv("NOVA_LITE_LAB_DIR", str(tmp_path))
    _weather(LabWorld(tmp_path), 1, ("kill-all", "commit-unknown", "broker-partition"))


def test_the_embedded_cloud(tmp_path: pathlib.Path) -> None:
    _weather(EmbeddedWorld(tmp_path), 2, ("kill-all", "clock-jump"))


# -- the tools themselves -------------------------------------------------------------------------


def _frame(kind: int, payload: bytes) -> bytes:
    return struct.pack(">BHI", kind, 1, len(payload)) + payload + b"\xce"


def _publish(key: bytes, body: bytes) -> bytes:
    method = struct.pack(">HHHB", 60, 40, 0, 4) + b"nova" + bytes([len(key)]) + key + b"\0"
    header = struct.pack(">HHQH", 60, 0, len(body), 0)
    half = len(body) // 2
    return _frame(1, method) + _frame(2, header) + _frame(3, body[:half]) + _frame(3, body[half:])


def test_casts_are_sent_astray_and_calls_are_not() -> None:
    sent = b"AMQP\0\0\x09\x01" + _publish(b"conductor", b"{method}") + _publish(b"conductor", b"{method _msg_id}")
    wanted = sent.replace(b"conductor", b"conducto~", 1)
    for seed in range(20):
        chance, change, rest, got = random.Random(seed), LostCasts(), sent, b""
        while rest:
            size = chance.randint(1, 40)
            got += change(rest[:size])
            rest = rest[size:]
        assert got == wanted


@pytest.fixture
def echo() -> Iterator[Proxy]:
    """A proxy before a server that says everything again."""
    server = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            threading.Thread(target=_say_again, args=(connection,), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    proxy = Proxy(server.getsockname()[1])
    proxy.start()
    yield proxy
    proxy.stop()
    server.close()


def _say_again(connection: socket.socket) -> None:
    with connection:
        while data := connection.recv(100):
            connection.sendall(data)


def _connected(proxy: Proxy) -> socket.socket:
    return socket.create_connection(("127.0.0.1", proxy.port), timeout=5)


def _is_cut(client: socket.socket) -> bool:
    """Whether the other side ended it, with or without a word."""
    try:
        return not client.recv(1)
    except ConnectionResetError:
        return True


@pytest.mark.parametrize("way", [UP, DOWN])
def test_what_a_partition_held_arrives_after_it(echo: Proxy, way: str) -> None:
    with _connected(echo) as client:
        echo.held = frozenset({way})
        client.sendall(b"x")
        client.settimeout(0.3)
        with pytest.raises(TimeoutError):
            client.recv(1)
        echo.heal()
        client.settimeout(5)
        assert client.recv(1) == b"x"


def test_a_spoilt_commit_was_carried_out_and_nobody_is_told(echo: Proxy) -> None:
    echo.spoils = 1.0
    with _connected(echo) as client:
        client.sendall(b"\x07\x00\x00\x00\x03COMMIT")
        assert _is_cut(client)
    assert echo.spoiled == 1


def test_who_is_refused_is_not_connected(echo: Proxy) -> None:
    echo.is_refusing = True
    with _connected(echo) as client:
        assert _is_cut(client)
