"""Background processes known by pid file: started, found again, waited for, stopped; never by name."""

from __future__ import annotations

import contextlib
import os
import pathlib
import random
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field


class LabError(Exception):
    """Something did not come up; the message says what, and where its log is."""


def start_time(pid: int) -> str:
    """Clock ticks since boot at which the process started; empty when there is no such process or it is a zombie."""
    try:
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return ""
    return "" if fields[0] == "Z" else fields[19]


def wait_for(what: str, ready: Callable[[], bool], timeout_s: float, alive: Callable[[], bool] = lambda: True) -> float:
    """Poll until ready; returns the seconds it took. Raises LabError on timeout or when the process is gone."""
    begun = time.monotonic()
    while not ready():
        if not alive():
            raise LabError(f"{what}: the process ended")
        if time.monotonic() - begun > timeout_s:
            raise LabError(f"{what}: not ready after {timeout_s:.0f} s")
        time.sleep(0.05)
    return time.monotonic() - begun


def answers(port: int, host: str = "127.0.0.1") -> bool:
    """Something accepts TCP connections there."""
    with contextlib.suppress(OSError), socket.create_connection((host, port), timeout=1):
        return True
    return False


# Below what the kernel gives to connections: a port that is written down now is still free when a server comes up.
_SPARE_PORTS = range(29_700, 32_700)


def free_port(preferred: int | None = None) -> int:
    """The preferred loopback port if nothing has it, else a spare one."""
    for candidate in ([preferred] if preferred else []) + random.SystemRandom().sample(_SPARE_PORTS, 50):
        with contextlib.suppress(OSError), socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", candidate))
            return int(probe.getsockname()[1])
    raise LabError("no free port on the loopback address")


@dataclass(frozen=True)
class Process:
    """One background process: `<directory>/<name>.pid` and `<directory>/<name>.log` are its traces."""

    name: str
    directory: pathlib.Path
    argv: Sequence[str] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    stop_signal: signal.Signals = signal.SIGTERM
    user: str | None = None
    port: int | None = None

    @property
    def pid_file(self) -> pathlib.Path:
        return self.directory / f"{self.name}.pid"

    @property
    def log(self) -> pathlib.Path:
        return self.directory / f"{self.name}.log"

    def pid(self) -> int | None:
        """Its pid if it lives; a pid that was given to another process since does not count."""
        try:
            pid, started = self.pid_file.read_text().split()
        except (OSError, ValueError):
            return None
        return int(pid) if start_time(int(pid)) == started else None

    def alive(self) -> bool:
        return self.pid() is not None

    def start(self) -> int:
        """Start it unless it lives; returns the pid. Raises LabError where a stranger has its port."""
        living = self.pid()
        if living is not None:
            return living
        if self.port and answers(self.port):
            raise LabError(f"{self.name}: port {self.port} belongs to another process; stop that, or choose new ports"
                           f" with: nova-lite-lab down --purge")  # fmt: skip
        self.directory.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            child = subprocess.Popen(
                list(self.argv), env={**os.environ, **self.env}, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True, user=self.user, extra_groups=[] if self.user else None, cwd="/",
            )  # fmt: skip
        self.pid_file.write_text(f"{child.pid} {start_time(child.pid)}\n")
        return child.pid

    def wait(self, ready: Callable[[], bool], timeout_s: float) -> float:
        """Wait until ready; the error carries the end of the log."""
        try:
            return wait_for(self.name, ready, timeout_s, self.alive)
        except LabError as error:
            raise LabError(f"{error}\nlog {self.log}:\n{self.tail(25)}") from None

    def tail(self, lines: int) -> str:
        try:
            return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])
        except OSError:
            return "(no log)"

    def kill(self, number: signal.Signals = signal.SIGKILL) -> None:
        """Send a signal to the process alone."""
        pid = self.pid()
        if pid is not None:
            os.kill(pid, number)

    def stop(self, timeout_s: float = 20) -> bool:
        """Ask it to end, then end its whole session; True if it was alive."""
        pid = self.pid()
        if pid is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, self.stop_signal)
            deadline = time.monotonic() + timeout_s
            while self.alive() and time.monotonic() < deadline:
                _reap(pid)
                time.sleep(0.05)
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(pid, signal.SIGKILL)
            _reap(pid)
        self.pid_file.unlink(missing_ok=True)
        return pid is not None


def _reap(pid: int) -> None:
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)
