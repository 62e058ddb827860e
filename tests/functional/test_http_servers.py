"""Both HTTP servers keep the same promises: drain, keep-alive, limits, TLS that one silent client cannot block."""

from __future__ import annotations

import http.client
import pathlib
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator

import pytest

from tests.harness import daemon
from tests.harness.daemon import Daemon

pytestmark = pytest.mark.processes

BACKENDS = ["eventlet", "threading"]

# An application that is slow where asked, on the port given.
PROGRAM = """
import sys
from nova_lite import concurrency
concurrency.patch()
from nova_lite import config, log
from nova_lite.launcher import Launcher
from nova_lite.service import WSGIService

port, cert, key = int(sys.argv[1]), sys.argv[2], sys.argv[3]
conf = config.parse_args([], "server")
log.setup(conf, "server")
conf.set_override("client_socket_timeout", 30, group="wsgi")
conf.set_override("max_header_line", 4096, group="wsgi")
conf.set_override("max_header_size", 16384, group="wsgi")
conf.set_override("graceful_shutdown_timeout", 5)
if cert != "-":
    conf.set_override("enabled_ssl_apis", ["app"])
    conf.set_override("ssl_cert_file", cert, group="wsgi")
    conf.set_override("ssl_key_file", key, group="wsgi")
def app(environ, start_response):
    seconds = float(environ["PATH_INFO"].strip("/") or 0)
    concurrency.sleep(seconds)
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0)) or environ["wsgi.url_scheme"].encode()
    start_response("200 OK", [("Content-Length", str(len(body))), ("X-Case-Kept", "yes")])
    return [body]
sys.exit(Launcher("server", [[WSGIService("app", lambda: app, conf, ("127.0.0.1", port))]], conf).run())
"""


@pytest.fixture(params=BACKENDS)
def server(request: pytest.FixtureRequest, tmp_path: pathlib.Path) -> Iterator[tuple[Daemon, int]]:
    port = daemon.free_port()
    with daemon.running(tmp_path, request.param, PROGRAM, str(port), "-", "-") as running:
        running.wait_ready()
        yield running, port


@pytest.fixture(params=BACKENDS)
def tls_server(request: pytest.FixtureRequest, tmp_path: pathlib.Path) -> Iterator[tuple[Daemon, int]]:
    cert, key, port = str(tmp_path / "cert.pem"), str(tmp_path / "key.pem"), daemon.free_port()
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", cert, "-days", "2",
         "-subj", "/CN=localhost"], check=True, capture_output=True,
    )  # fmt: skip
    with daemon.running(tmp_path, request.param, PROGRAM, str(port), cert, key) as running:
        running.wait_ready()
        yield running, port


def test_requests_in_flight_are_finished_and_idle_connections_closed(server: tuple[Daemon, int]) -> None:
    running, port = server
    idle = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    idle.request("GET", "/0")
    assert idle.getresponse().read() == b"http"
    answers: list[tuple[int, bytes]] = []
    slow = threading.Thread(target=lambda: answers.append(daemon.get(port, "/1.5")))
    slow.start()
    time.sleep(0.5)
    code, seconds = running.stop()
    slow.join(10)
    assert answers == [(200, b"http")], running.text()
    assert code == 0
    assert seconds < 3, "the idle connection must not be waited for"
    with pytest.raises(ConnectionRefusedError):
        daemon.get(port)


def test_a_request_on_its_way_is_answered_and_a_silent_client_not_waited_for(server: tuple[Daemon, int]) -> None:
    """Who has connected and had no processor since then must not be reset; 0.6 s are more than such a turn takes."""
    running, port = server
    late = [http.client.HTTPConnection("127.0.0.1", port, timeout=10) for _ in range(3)]
    for connection in late:
        connection.connect()
    silent = socket.create_connection(("127.0.0.1", port), timeout=10)
    time.sleep(0.3)
    begin = time.monotonic()
    running.send(signal.SIGTERM)
    time.sleep(0.6)
    for connection in late:
        connection.request("GET", "/0.2")
    answers = [connection.getresponse() for connection in late]
    assert [(answer.status, answer.read()) for answer in answers] == [(200, b"http")] * 3, running.text()
    assert running.process.wait(10) == 0
    assert time.monotonic() - begin < 4, "silent clients have a second, not the five of requests in flight"
    assert silent.recv(1) == b""


def test_a_newcomer_is_refused_while_requests_in_flight_are_finished(server: tuple[Daemon, int]) -> None:
    """Its kernel was not answered until the last of them was done, which may be a minute later."""
    running, port = server
    answers: list[tuple[int, bytes]] = []
    slow = threading.Thread(target=lambda: answers.append(daemon.get(port, "/3")))
    slow.start()
    time.sleep(0.3)
    running.send(signal.SIGTERM)
    time.sleep(1)
    with pytest.raises(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port), timeout=1):
        pass
    assert running.process.wait(10) == 0
    slow.join(10)
    assert answers == [(200, b"http")]


def test_requests_beyond_the_deadline_are_cut_off(server: tuple[Daemon, int]) -> None:
    running, port = server
    failed = threading.Event()

    def ask() -> None:
        try:
            daemon.get(port, "/60")
        except (OSError, http.client.HTTPException):
            failed.set()

    threading.Thread(target=ask).start()
    time.sleep(0.5)
    _, seconds = running.stop()
    assert 4.5 < seconds < 9, "graceful_shutdown_timeout is 5"
    assert failed.wait(5)
    assert "cut off" in running.text()


def test_silent_connections_keep_nobody_out(server: tuple[Daemon, int]) -> None:
    _, port = server
    silent = [socket.create_connection(("127.0.0.1", port), timeout=10) for _ in range(200)]
    for _ in range(5):
        assert daemon.get(port) == (200, b"http")
    silent[-1].sendall(b"GET /0 HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
    assert silent[-1].recv(100).startswith(b"HTTP/1.1 200")
    for sock in silent:
        sock.close()


def test_a_connection_carries_many_requests(server: tuple[Daemon, int]) -> None:
    _, port = server
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    for number in range(20):
        connection.request("POST", "/0", body=str(number))
        answer = connection.getresponse()
        assert answer.read() == str(number).encode()
        assert ("X-Case-Kept", "yes") in answer.getheaders()
    connection.close()


def test_huge_headers_are_refused(server: tuple[Daemon, int]) -> None:
    _, port = server
    refused = {400, 413, 414, 431}
    assert daemon.get(port, "/0", X_Big="x" * 100_000)[0] in refused
    assert daemon.get(port, "/" + "0" * 20_000)[0] in refused
    assert daemon.get(port)[0] == 200


def test_many_slow_requests_run_side_by_side(server: tuple[Daemon, int]) -> None:
    _, port = server
    begin = time.monotonic()
    threads = [threading.Thread(target=daemon.get, args=(port, "/0.5")) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert time.monotonic() - begin < 4


def test_tls_is_spoken_and_silent_clients_block_nobody(tls_server: tuple[Daemon, int]) -> None:
    running, port = tls_server
    silent = [socket.create_connection(("127.0.0.1", port)) for _ in range(4)]
    time.sleep(0.2)
    begin = time.monotonic()
    assert daemon.get(port, "/0", tls=True) == (200, b"https")
    assert time.monotonic() - begin < 5
    for sock in silent:
        sock.close()
    with socket.create_connection(("127.0.0.1", port), timeout=5) as plain:
        plain.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert b"200 OK" not in plain.recv(1000)
    assert daemon.get(port, "/0", tls=True) == (200, b"https")
    assert running.stop()[0] == 0
