"""Floors: what the bare parts cost on this machine in this minute, so that noisy figures can be judged."""

from __future__ import annotations

import contextlib
import os
import random
import socket
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from bench.client import Target
from bench.report import Figure

# Below what the kernel gives to connections: who listens seconds later finds it free, whatever was connected meanwhile.
_PORTS = range(22_000, 23_300)


def free_port() -> int:
    """A loopback port that nobody has."""
    while True:
        port = random.SystemRandom().choice(_PORTS)
        with contextlib.suppress(OSError), socket.socket() as probe:
            probe.bind(("127.0.0.1", port))
            return port


def free_ports(count: int) -> list[int]:
    """So many, no two of them the same."""
    found: set[int] = set()
    while len(found) < count:
        found.add(free_port())
    return [*found]


@contextlib.contextmanager
def bare_wsgi() -> Iterator[tuple[Target, int]]:
    """A WSGI server of two kilobytes of JSON and nothing else, in its own process, as the API's is; and its pid."""
    port = free_port()
    command = [sys.executable, str(Path(__file__).with_name("bare.py")), str(port)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=_environment())
    try:
        _wait_for(port, server)
        yield Target(f"http://127.0.0.1:{port}", "none"), server.pid
    finally:
        server.terminate()
        server.wait(timeout=10)


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONWARNINGS": "ignore"}


def _wait_for(port: int, server: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + 20
    while time.monotonic() < end and server.poll() is None:
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        time.sleep(0.02)
    raise RuntimeError("the bare WSGI server did not start: is eventlet installed for this interpreter?")


def sqlite_commit(commits: int = 300) -> Figure:
    """The median time of one committed row in a database set as ours is (WAL, synchronous=NORMAL)."""
    times = []
    with tempfile.TemporaryDirectory() as directory:
        connection = sqlite3.connect(os.path.join(directory, "floor.db"), isolation_level=None)
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")
        connection.execute("CREATE TABLE rows (id INTEGER PRIMARY KEY, text TEXT)")
        for number in range(commits):
            begin = time.perf_counter()
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("INSERT INTO rows (text) VALUES (?)", (str(number),))
            connection.execute("COMMIT")
            times.append(time.perf_counter() - begin)
        connection.close()
    return Figure("SQLite commit ms", statistics.median(times) * 1000, "ms")


def interpreter_start(modules: str = "eventlet, sqlalchemy.orm, oslo_messaging, oslo_policy, webob") -> Figure:
    """The time that Python needs to import what every daemon imports, before it does anything."""
    begin = time.perf_counter()
    subprocess.run(
        [sys.executable, "-c", f"import {modules}"], check=True, timeout=60, env=_environment(), capture_output=True
    )
    return Figure("interpreter and imports s", time.perf_counter() - begin, "s")
