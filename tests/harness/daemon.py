"""One real daemon as a child process, with its log, its signals and its notifications to systemd."""

from __future__ import annotations

import contextlib
import http.client
import os
import pathlib
import random
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

from tests.harness import processor

TOP = pathlib.Path(__file__).resolve().parents[2]
WAIT_S = 40.0


# Below what the kernel gives to connections, and the lab's own: a daemon that starts seconds later finds it free, too.
PORTS = range(10_000, 22_000)


def free_port() -> int:
    while True:
        port = random.SystemRandom().choice(PORTS)
        with contextlib.suppress(OSError), socket.socket() as sock:
            sock.bind(("127.0.0.1", port))
            return port


def children(pid: int) -> list[int]:
    """Of its first thread."""
    return [int(child) for child in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def lives(pid: int) -> bool:
    """Whether there is such a process that is not merely waiting to be reaped."""
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(") ", 1)[1][0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def free_ports_in_a_row(count: int = 8) -> int:
    """The first of them: what ``--port-base`` takes."""
    while True:
        base = free_port()
        with contextlib.suppress(OSError, OverflowError), contextlib.ExitStack() as stack:
            for port in range(base, base + count):
                stack.enter_context(socket.socket()).bind(("127.0.0.1", port))
            return base


def until(condition: Callable[[], object], what: str, wait_s: float = WAIT_S) -> None:
    """Wait for a condition; errors of connecting count as not yet."""
    end = time.monotonic() + wait_s
    while time.monotonic() < end:
        with contextlib.suppress(OSError, http.client.HTTPException):
            if condition():
                return
        time.sleep(0.02)
    raise AssertionError(f"never: {what}")


class Daemon:
    """``code`` is Python that ends in sys.exit(...), or the name of a module of nova_lite.cmd."""

    def __init__(self, folder: pathlib.Path, backend: str, code: str, *args: str) -> None:
        if code.isidentifier():
            code = f"import sys; from nova_lite.cmd.{code} import main; sys.exit(main())"
        self.log = folder / "daemon.log"
        self._notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._notify.bind(str(folder / "notify"))
        self._notify.setblocking(False)
        self.said = ""
        env = {name: value for name, value in os.environ.items() if not name.startswith(("OS_", "NOVA_LITE_"))}
        env |= {
            "NOVA_LITE_CONCURRENCY_BACKEND": backend,
            "NOTIFY_SOCKET": str(folder / "notify"),
            "PYTHONPATH": str(TOP),
        }
        with self.log.open("ab") as out:
            self.begun = time.monotonic()
            self.process = subprocess.Popen(
                [sys.executable, "-c", code, *args],
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                cwd=folder,
            )

    @property
    def pid(self) -> int:
        return self.process.pid

    def text(self) -> str:
        return self.log.read_text(errors="replace")

    def notified(self) -> str:
        """Everything said to systemd so far."""
        with contextlib.suppress(BlockingIOError):
            while True:
                self.said += self._notify.recv(4096).decode() + "\n"
        return self.said

    def wait_ready(self) -> None:
        def ready() -> bool:
            assert self.process.poll() is None, self.text()
            return "READY=1" in self.notified()

        until(ready, f"ready; log:\n{self.text()}")

    def send(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> tuple[int, float]:
        """Exit code and seconds it took, but for those for which the machine had no processor for it."""
        begin, before = time.monotonic(), self._waited_s()
        waited_s = before
        self.send(number)
        while self.process.poll() is None:
            if time.monotonic() - begin > WAIT_S:
                raise subprocess.TimeoutExpired(self.process.args, WAIT_S)
            waited_s = max(waited_s, self._waited_s())
            time.sleep(0.02)
        return self.process.returncode, time.monotonic() - begin - (waited_s - before)

    def _waited_s(self) -> float:
        with contextlib.suppress(OSError):
            return processor.waited_s(self.process.pid)
        return 0.0  # it has ended

    def children(self) -> list[int]:
        return children(self.pid)

    def rss_mb(self) -> float:
        status = pathlib.Path(f"/proc/{self.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0]) / 1024

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self._notify.close()


@contextlib.contextmanager
def running(folder: pathlib.Path, backend: str, code: str, *args: str) -> Iterator[Daemon]:
    daemon = Daemon(folder, backend, code, *args)
    try:
        yield daemon
    finally:
        daemon.close()


def get(port: int, path: str = "/", tls: bool = False, **headers: str) -> tuple[int, bytes]:
    """Status and body."""
    if tls:
        context = ssl._create_unverified_context()
        connection: http.client.HTTPConnection = http.client.HTTPSConnection(
            "127.0.0.1", port, timeout=10, context=context
        )
    else:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    with contextlib.closing(connection):
        connection.request("GET", path, headers={name.replace("_", "-"): value for name, value in headers.items()})
        answer = connection.getresponse()
        return answer.status, answer.read()
