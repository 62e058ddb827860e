"""What runs out: the database's lock, descriptors, memory. Requests wait or are told to come again (R13, R34)."""

from __future__ import annotations

import contextlib
import json
import pathlib
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from tests.harness import daemon
from tests.harness.crowd import at_once
from tests.harness.daemon import Daemon

pytestmark = pytest.mark.timeout(120)

HOLDER = """
import sqlite3, sys, time
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN IMMEDIATE")
print("held", flush=True)
time.sleep(float(sys.argv[2]))
connection.execute("COMMIT")
"""
# As `ulimit -n` and `ulimit -v` do, then the daemon itself.
LIMITED = """
import resource, sys
resource.setrlimit(getattr(resource, sys.argv[1]), (int(sys.argv[2]), int(sys.argv[2])))
sys.argv[1:3] = []
from nova_lite.cmd.api import main
sys.exit(main())
"""


class Api:
    """An API on SQLite that believes whoever comes, with no broker: it accepts and shows."""

    def __init__(self, folder: pathlib.Path, backend: str, text: str = "", code: str = "api", *args: str) -> None:
        self.port = daemon.free_port()
        self.database = folder / "nova-lite.sqlite"
        self.conf = folder / "nova-lite.conf"
        self.conf.write_text(
            f"[DEFAULT]\nstate_path = {folder}/state\nhost = h\ntransport_url = rabbit://n:s@127.0.0.1:1/\n"
            f"osapi_compute_listen = 127.0.0.1\nosapi_compute_listen_port = {self.port}\n"
            f"[database]\nconnection = sqlite:///{self.database}\nsqlite_busy_timeout_s = 1\n"
            f"[api]\nauth_strategy = noauth2\n{text}"
        )
        manage = "import sys; from nova_lite.cmd.manage import main; sys.exit(main())"
        sync = [sys.executable, "-c", manage, "--config-file", str(self.conf), "db", "sync"]
        subprocess.run(sync, check=True, capture_output=True, timeout=60, cwd=daemon.TOP)
        self.daemon = Daemon(folder, backend, code, *args, "--config-file", str(self.conf))
        self.daemon.wait_ready()

    def ask(self, method: str, path: str, body: Any = None, wait_s: float = 60.0) -> tuple[int, dict[str, str], float]:
        """Status, headers and seconds. :raises OSError: no answer."""
        begin = time.monotonic()
        asked = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/v2.1{path}", json.dumps(body).encode() if body else None, method=method,
            headers={"X-Auth-Token": "admin:p", "Content-Type": "application/json"},
        )  # fmt: skip
        try:
            with urllib.request.urlopen(asked, timeout=wait_s) as answer:
                answer.read()
                return answer.status, dict(answer.headers), time.monotonic() - begin
        except urllib.error.HTTPError as error:
            error.read()
            return error.code, dict(error.headers), time.monotonic() - begin

    def make(self, name: str) -> tuple[int, dict[str, str], float]:
        """A write that needs nothing else."""
        return self.ask("POST", "/flavors", {"flavor": {"name": name, "ram": 64, "vcpus": 1, "disk": 0}})


@contextlib.contextmanager
def _held(database: pathlib.Path, seconds: float) -> Iterator[None]:
    """Another process has the write lock, for so long."""
    holder = subprocess.Popen([sys.executable, "-c", HOLDER, database, str(seconds)], stdout=subprocess.PIPE)
    try:
        assert holder.stdout is not None and holder.stdout.readline() == b"held\n"
        yield
    finally:
        holder.wait(60)
        assert holder.stdout is not None
        holder.stdout.close()


@pytest.mark.parametrize("backend", ["threading", "eventlet"])
def test_a_lock_that_is_held_for_long_is_a_503_and_for_short_a_pause(tmp_path: pathlib.Path, backend: str) -> None:
    """sqlite_busy_timeout_s is about how long a request waits (1 s here, 30 by default); readers do not wait at all."""
    api = Api(tmp_path, backend)
    try:
        with _held(api.database, 4.0):
            answers = at_once(12, lambda n: api.make(f"late-{n}") if n % 2 else api.ask("GET", "/flavors"))
        reads, writes = answers[0::2], answers[1::2]
        assert {status for status, _, _ in reads} == {200} and max(took for _, _, took in reads) < 3
        assert {status for status, _, _ in writes} == {503}, writes
        assert all(headers.get("Retry-After") for _, headers, _ in writes)
        assert max(took for _, _, took in writes) < 3.5, writes
        with _held(api.database, 0.5):
            assert {status for status, _, _ in at_once(6, lambda n: api.make(f"soon-{n}"))} == {200}
        assert api.daemon.stop()[0] == 0
        with contextlib.closing(sqlite3.connect(api.database)) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            names = {row[0] for row in connection.execute("SELECT name FROM flavors")}
        assert names >= {f"soon-{n}" for n in range(6)} and not any(name.startswith("late") for name in names)
    finally:
        api.daemon.close()


def _cpu_s(pid: int) -> float:
    """Seconds of a processor that it has used."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(") ", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / 100


@pytest.mark.parametrize("backend", ["threading", "eventlet"])
def test_without_descriptors_clients_wait_and_nothing_burns(tmp_path: pathlib.Path, backend: str) -> None:
    """More connections than the process may have descriptors: it lives, stays quiet, and serves when some are gone."""
    api = Api(tmp_path, backend, "", LIMITED, "RLIMIT_NOFILE", "80")
    try:
        assert api.ask("GET", "/flavors")[0] == 200
        silent = [socket.create_connection(("127.0.0.1", api.port), timeout=5) for _ in range(120)]
        time.sleep(0.5)
        before = _cpu_s(api.daemon.pid)
        with pytest.raises(OSError):
            api.ask("GET", "/flavors", wait_s=2.0)
        assert _cpu_s(api.daemon.pid) - before < 1.0, "it spins"
        assert api.daemon.process.poll() is None
        for sock in silent:
            sock.close()

        def serves() -> bool:
            return api.ask("GET", "/flavors", wait_s=5.0)[0] == 200

        daemon.until(serves, "it serves again", 20.0)
        assert {status for status, _, _ in at_once(10, lambda n: api.make(f"again-{n}"))} == {200}
        code, took = api.daemon.stop()
        assert (code, took < 5) == (0, True)
        assert len(api.daemon.text()) < 100_000, "it logs without end"
    finally:
        api.daemon.close()
