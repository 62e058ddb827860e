"""Every daemon is stopped and started again, one after the other, under load: nothing fails, nothing is lost (R27).

Real processes on a RabbitMQ of the lab's, with SQLite. The next API listens before the last one ends.
"""

from __future__ import annotations

import base64
import collections
import contextlib
import http.client
import http.server
import json
import pathlib
import shutil
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from lab import layout, rabbitmq
from tests.harness import daemon
from tests.harness.daemon import Daemon

pytestmark = pytest.mark.timeout(180)

IMAGE = "70a599e0-31e7-49b7-b260-868f441e862b"
VHOST = "nova-lite-rolling"
GRACEFUL_S = 10
CLIENTS = 4


@pytest.fixture(scope="module")
def broker_url() -> Iterator[str]:
    """A virtual host of its own on the lab's broker, which is started where it does not run."""
    if not shutil.which("rabbitmq-server"):
        pytest.skip("rabbitmq-server is not installed")
    lab = layout.load()
    ran = rabbitmq.server(lab).alive()
    rabbitmq.start(lab)
    _manage(lab, "PUT", f"vhosts/{VHOST}", {})
    _manage(lab, "PUT", f"permissions/{VHOST}/{rabbitmq.USER}", {"configure": ".*", "write": ".*", "read": ".*"})
    yield rabbitmq.url(lab) + VHOST
    _manage(lab, "DELETE", f"vhosts/{VHOST}", None)
    if not ran:
        rabbitmq.stop(lab)


def _manage(lab: layout.Layout, method: str, path: str, body: Any) -> None:
    login = base64.b64encode(f"{rabbitmq.USER}:{lab.secrets['rabbitmq']}".encode()).decode()
    asked = urllib.request.Request(
        lab.url("management", f"/api/{path}"), None if body is None else json.dumps(body).encode(), method=method,
        headers={"Authorization": f"Basic {login}", "Content-Type": "application/json"},
    )  # fmt: skip
    urllib.request.urlopen(asked, timeout=10).close()


class _Neighbours(http.server.BaseHTTPRequestHandler):
    """An identity service that believes everybody, and an image service that has one image."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        url = f"http://127.0.0.1:{self.server.server_address[1]}"  # type: ignore[index]
        endpoint = {"id": "e", "interface": "public", "region": "R", "region_id": "R", "url": url}
        catalog = [{"id": "i", "type": "image", "name": "image", "endpoints": [endpoint]}]
        token = {"methods": ["password"], "issued_at": "2026-01-01T00:00:00.0Z", "expires_at": "2099-01-01T00:00:00.0Z",
                 "user": {"id": "u", "name": "u"}, "catalog": catalog}  # fmt: skip
        self._say(201, {"token": token})

    def do_GET(self) -> None:
        version = {"id": "v3.14", "status": "stable", "links": [{"rel": "self", "href": self.path}]}
        image = {"id": IMAGE, "name": "tiny", "status": "active", "disk_format": "raw", "container_format": "bare",
                 "size": 1, "min_disk": 0, "min_ram": 0, "visibility": "public"}  # fmt: skip
        self._say(200, image if "images" in self.path else {"version": version})

    def _say(self, status: int, said: Any) -> None:
        body = json.dumps(said).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("X-Subject-Token", "token")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nobody reads it."""


class Fleet:
    """One of each daemon, each in a folder of its own; a daemon that is started again gets the next folder."""

    def __init__(self, folder: pathlib.Path, broker_url: str, neighbours: int, backend: str) -> None:
        self.folder, self.backend = folder, backend
        self.port = daemon.free_port()
        self.running: dict[str, Daemon] = {}
        self._lives: collections.Counter[str] = collections.Counter()
        self.conf = folder / "nova-lite.conf"
        self.conf.write_text(
            f"[DEFAULT]\ntransport_url = {broker_url}\nhost = rolling\nstate_path = {folder}/state\n"
            f"osapi_compute_listen = 127.0.0.1\nosapi_compute_listen_port = {self.port}\nosapi_compute_workers = 2\n"
            f"graceful_shutdown_timeout = {GRACEFUL_S}\n"
            f"[wsgi]\nshare_port = true\n[api]\nauth_strategy = noauth2\n[compute]\ndriver = fake\n"
            f"[database]\nconnection = sqlite:///{folder}/nova-lite.sqlite\n"
            f"[glance]\nendpoint_override = http://127.0.0.1:{neighbours}\n"
            f"[service_auth]\nauth_url = http://127.0.0.1:{neighbours}/v3\nusername = nobody\npassword = asked\n"
            "[operations]\nheartbeat_interval_s = 0.5\nsweep_interval_s = 0.5\nlease_s = 5\n"
        )
        code = "from nova_lite.cmd.all_in_one import prepare_database; from nova_lite.cmd import startup; " \
               "import sys; prepare_database(startup.begin('setup', sys.argv[1:]))"  # fmt: skip
        subprocess.run(
            [sys.executable, "-c", code, "--config-file", str(self.conf)], check=True, timeout=60, cwd=daemon.TOP,
            capture_output=True,
        )  # fmt: skip

    def start(self, name: str) -> Daemon:
        self._lives[name] += 1
        folder = self.folder / f"{name}-{self._lives[name]}"
        folder.mkdir()
        made = Daemon(folder, self.backend, name, "--config-file", str(self.conf))
        self.running[name] = made
        return made

    def close(self) -> None:
        for each in self.running.values():
            each.close()


@pytest.fixture
def fleet(request: pytest.FixtureRequest, tmp_path: pathlib.Path, broker_url: str) -> Iterator[Fleet]:
    neighbours = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Neighbours)
    threading.Thread(target=neighbours.serve_forever, daemon=True).start()
    made = Fleet(tmp_path, broker_url, neighbours.server_address[1], request.param)
    try:
        for name in ("conductor", "scheduler", "compute", "api"):
            made.start(name)
        for each in made.running.values():
            each.wait_ready()
        yield made
    finally:
        made.close()
        neighbours.shutdown()
        neighbours.server_close()


class Load:
    """Clients that make a server, pause it, look at it and delete it, again and again, each request on its own."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._over = threading.Event()
        self.failures: list[str] = []
        self.requests = 0
        self.lives = 0
        self.slowest_s = 0.0
        self._threads = [threading.Thread(target=self._live, args=(n,), daemon=True) for n in range(CLIENTS)]
        for thread in self._threads:
            thread.start()

    def ask(self, method: str, path: str, body: Any = None, expect: int = 200) -> Any:
        begin = time.monotonic()
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=20)
        try:
            with contextlib.closing(connection):
                headers = {"X-Auth-Token": "roller:project", "Content-Type": "application/json",
                           "OpenStack-API-Version": "compute 2.90"}  # fmt: skip
                connection.request(method, f"/v2.1{path}", json.dumps(body) if body is not None else None, headers)
                answer = connection.getresponse()
                data = answer.read()
            self.requests += 1
            if answer.status not in (expect, 404 if method == "GET" else expect):
                self.failures.append(f"{method} {path}: {answer.status} {data[:300]!r}")
            return json.loads(data) if data and answer.status == expect else None
        except OSError as error:
            self.failures.append(f"{method} {path}: {type(error).__name__} {error}")
            return None
        finally:
            self.slowest_s = max(self.slowest_s, time.monotonic() - begin)

    def _live(self, number: int) -> None:
        while not self._over.is_set():
            wanted = {"name": f"r{number}", "imageRef": IMAGE, "flavorRef": "42", "networks": "none"}
            made = self.ask("POST", "/servers", {"server": wanted}, 202)
            if made is None:
                continue
            server = made["server"]["id"]
            if self._becomes(server, "ACTIVE"):
                self.ask("POST", f"/servers/{server}/action", {"pause": None}, 202)
                self._becomes(server, "PAUSED")
            self.ask("DELETE", f"/servers/{server}", None, 204)
            self._becomes(server, None)
            self.lives += 1

    def _becomes(self, server: str, status: str | None, wait_s: float = 40.0) -> bool:
        end = time.monotonic() + wait_s
        while time.monotonic() < end:
            shown = self.ask("GET", f"/servers/{server}")
            found = shown["server"]["status"] if shown else None
            if found == status:
                return True
            if found == "ERROR":
                break
            time.sleep(0.05)
        self.failures.append(f"server {server} is {found}, not {status}: {shown}")
        return False

    def stop(self) -> None:
        """Each client ends its round."""
        self._over.set()
        for thread in self._threads:
            thread.join(60)


@pytest.mark.parametrize("fleet", ["eventlet"], indirect=True)
def test_a_rolling_restart_loses_nothing(fleet: Fleet) -> None:
    load = Load(fleet.port)
    daemon.until(lambda: load.failures or load.lives >= CLIENTS, "a first round of each client")
    assert load.failures == []
    took: dict[str, float] = {}
    for name in ("conductor", "scheduler", "compute"):
        old = fleet.running[name]
        before = load.requests
        code, took[name] = old.stop()
        assert code == 0, old.text()[-3000:]
        old.close()
        fleet.start(name).wait_ready()
        daemon.until(lambda before=before: load.requests > before + 20, f"requests beside the restart of {name}")
    old = fleet.running["api"]
    fleet.start("api").wait_ready()  # it listens beside the old one
    code, took["api"] = old.stop()
    assert code == 0, old.text()[-3000:]
    old.close()
    lives = load.lives
    daemon.until(lambda: load.lives >= lives + CLIENTS, "a last round of each client")
    load.stop()
    print(f"{load.requests} requests, {load.lives} servers, slowest {load.slowest_s:.2f} s, ends in {took}")
    assert load.failures == []
    assert max(took.values()) < GRACEFUL_S, took
    assert load.ask("GET", "/servers")["servers"] == []
    for each in fleet.running.values():
        assert "Traceback" not in each.text(), each.text()[-3000:]


@pytest.mark.parametrize("fleet", ["threading"], indirect=True)
def test_signals_of_a_busy_daemon(fleet: Fleet) -> None:
    """HUP takes over what is mutable; TERM twice ends at once; what was cut off goes on in the next life."""
    old = f"graceful_shutdown_timeout = {GRACEFUL_S}"
    fleet.conf.write_text(fleet.conf.read_text().replace(old, "graceful_shutdown_timeout = 7"))
    for name in ("conductor", "scheduler", "compute", "api"):
        running = fleet.running[name]
        running.send(signal.SIGHUP)
        told = "[DEFAULT] graceful_shutdown_timeout is now 7"
        daemon.until(lambda running=running, told=told: told in running.text(), f"{name} has reloaded")
        daemon.until(lambda running=running: running.notified().count("READY=1") >= 2, f"{name} is ready again")
    load = Load(fleet.port)
    daemon.until(lambda: load.failures or load.lives >= CLIENTS, "a first round")
    compute = fleet.running["compute"]
    compute.send(signal.SIGTERM)
    daemon.until(lambda: "draining for at most 7 s" in compute.text(), "the drain")
    begin = time.monotonic()
    compute.send(signal.SIGTERM)
    assert compute.process.wait(daemon.WAIT_S) == 0
    assert time.monotonic() - begin < 5
    fleet.start("compute").wait_ready()
    compute.close()
    lives = load.lives
    daemon.until(lambda: load.lives >= lives + CLIENTS, "rounds of the next life")
    load.stop()
    assert load.failures == []
    assert load.ask("GET", "/servers")["servers"] == []


# Servers of one topic, one after the other, and callers who never pause; prints how many calls went well and how many
# got no answer.
CALLERS = """
import sys, threading
from nova_lite import concurrency
concurrency.patch(sys.argv[2])
from nova_lite import config, exception, log, rpc
from nova_lite.context import RequestContext
conf = config.parse_args([], "callers")
log.setup(conf, "callers")
rpc.init(conf, sys.argv[1])
class Endpoint:
    def echo(self, ctxt, value):
        concurrency.sleep(0.01)
        return value
client, ctxt, over, counts = rpc.get_client("handed-on"), RequestContext(overwrite=False), [], {"ok": 0, "lost": 0}
def ask():
    while not over:
        try:
            client.call(ctxt, "echo", value=1, timeout_s=5)
            counts["ok"] += 1
        except exception.CallTimeout:
            counts["lost"] += 1
def serve():
    server = rpc.get_server("handed-on", "h", [Endpoint()])
    server.start()
    return server
server = serve()
asking = [concurrency.spawn(ask) for _ in range(8)]
for _ in range(5):
    concurrency.sleep(0.4)
    server.stop()
    server.wait()
    server = serve()
concurrency.sleep(0.2)
over.append(True)
for each in asking:
    each.wait(20)
print(counts["ok"], counts["lost"], flush=True)
server.stop()
rpc.cleanup()
"""


@pytest.mark.parametrize("backend", ["eventlet", "threading"])
def test_a_server_that_stops_leaves_its_requests_to_the_next(broker_url: str, backend: str) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", CALLERS, broker_url, backend], cwd=daemon.TOP, timeout=90,
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    ok, lost = map(int, done.stdout.split())
    assert lost == 0, f"{lost} of {ok + lost} calls got no answer"
    assert ok > 100
