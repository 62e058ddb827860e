"""A server on native threads; what both kinds promise over the wire: tests/functional/test_http_servers.py."""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Iterator
from typing import Any

import pytest

from nova_lite import listening, wsgi


def _app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    start_response("200 OK", [("Content-Length", "2")])
    return [b"ok"]


LIMITS = wsgi.Limits()


class Slow(socket.socket):
    """Who accepts here has no processor for a while afterwards."""

    def accept(self) -> tuple[socket.socket, Any]:
        accepted = super().accept()
        time.sleep(0.5)
        return accepted


@pytest.fixture
def door() -> Iterator[socket.socket]:
    with Slow(socket.AF_INET, socket.SOCK_STREAM) as made:
        made.bind(("127.0.0.1", 0))
        made.listen(10)
        yield made


@contextlib.contextmanager
def _serving(door: socket.socket, limits: wsgi.Limits = LIMITS, stays: bool = False) -> Iterator[Any]:
    """Its threads end whatever becomes of the test; they would keep the process."""
    server = wsgi.ThreadedServer("app", _app, door, limits, stays=stays)
    server.start()
    try:
        yield server
    finally:
        if server._server.ready:
            server.stop(5)


def test_who_is_just_being_accepted_when_a_server_ends_is_answered(door: socket.socket) -> None:
    with _serving(door) as server, socket.create_connection(door.getsockname(), timeout=5) as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        time.sleep(0.1)
        assert server.stop(5)
        answer = client.makefile("rb").read()
    assert answer.startswith(b"HTTP/1.1 200 OK") and answer.endswith(b"ok")


def test_a_client_that_was_cut_off_for_its_silence_is_not_waited_for() -> None:
    """cheroot's connections are cycles: what only a garbage collection forgets looked as if it was still there."""
    with socket.create_server(("127.0.0.1", 0)) as door, _serving(door, wsgi.Limits(client_timeout_s=1)) as server:
        with socket.create_connection(door.getsockname(), timeout=10) as silent:
            assert silent.recv(1) == b"", "it was cut off"
        end = time.monotonic() + 5
        while server._silent and time.monotonic() < end:
            time.sleep(0.05)
        assert not server._silent
        assert server.stop(5)


def test_a_server_that_ends_does_not_knock_at_a_door_that_stays() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as door, door.dup() as others, _serving(door, stays=True) as server
    ):  # fmt: skip
        assert server.stop(5)
        assert not listening.has_queue(others), "nobody but a client waits for the next process"


def test_a_connection_that_another_process_took_is_not_waited_for() -> None:
    with socket.create_server(("127.0.0.1", 0)) as door, _serving(door) as server:
        assert door.gettimeout() == 0, "who accepts looks after all other connections, too"
        assert server.stop(5)
