"""A cloud of real processes that chaos may break: what faults, workloads and books have to know of it."""

from __future__ import annotations

import abc
import contextlib
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from lab import process
from tests.harness.chaos.proxy import Proxy
from tests.harness.chaos.rest import LOST, Ledger, Rest

# Leases short enough to see many of them run out within minutes.
LEASE_S = 4.0
DOWN_S = 6.0
QUICK = {
    "operations.heartbeat_interval_s": "0.5",
    "operations.lease_s": str(LEASE_S),
    "operations.sweep_interval_s": "0.5",
    "operations.service_down_s": str(DOWN_S),
    "operations.power_sync_interval_s": "5",
    "operations.acceptance_s": "30",
    "rpc_response_timeout": "6",
    "fake_driver.delays": "spawn:0.5,destroy:0.2,reboot:0.3,snapshot:0.4,finish_migration:0.4,live_migrate_round:0.1",
}
ROOMY = {"quota.instances": "1000", "quota.cores": "4000", "quota.ram": "4000000", "quota.key_pairs": "1000"}
WRONG_CLOCK = pathlib.Path(__file__).with_name("wrong_clock.py")
START_S = 60.0


class NotHere(Exception):
    """This machine cannot do that fault; the text says why."""


class World(abc.ABC):
    """``hosts`` are the compute hosts and the folders of their hypervisors; ``root`` is the world's own directory."""

    name: str
    hosts: dict[str, pathlib.Path]
    # Between daemons and database or broker; none where there is nothing in between.
    proxies: Mapping[str, Proxy] = {}

    def __init__(self, root: pathlib.Path) -> None:
        self.root = root
        self._mounts: list[pathlib.Path] = []
        self.ledger = Ledger()
        # Findings with these words in them are a fault's own doing and no harm.
        self.forgiven: set[str] = set()

    # -- what a kind of world says ----------------------------------------------------------------

    @abc.abstractmethod
    def start(self) -> None:
        """Return when everything answers."""

    @abc.abstractmethod
    def stop(self) -> None:
        """End every process that start() began, also after a failure."""

    @abc.abstractmethod
    def daemons(self) -> dict[str, process.Process]:
        """nova-lite's own processes, by name."""

    @abc.abstractmethod
    def url(self, service: str) -> str:
        """Where identity, compute, image, network or volume is served."""

    @abc.abstractmethod
    def password(self, user: str) -> str:
        """Of ``admin`` or ``demo``, each in the project of that name."""

    @property
    @abc.abstractmethod
    def database_url(self) -> str:
        """The database itself, with no proxy in between."""

    def queue_depths(self) -> dict[str, int]:
        """Messages waiting in queues that somebody reads."""
        return {}

    # -- what all of them can ---------------------------------------------------------------------

    def rest(self, user: str, ledger: Ledger | None = None) -> Rest:
        return Rest(self.url("identity"), user, self.password(user), ledger or self.ledger)

    def kill(self, *names: str) -> None:
        """kill -9; returns when they are gone."""
        found = [self.daemons()[name] for name in names or self.daemons()]
        for one in found:
            one.kill(signal.SIGKILL)
        process.wait_for("killed daemons", lambda: not any(one.alive() for one in found), 10)

    def revive(self, *names: str, clock: pathlib.Path | None = None) -> None:
        """Start them again, without waiting until they serve; the file ``clock`` says how wrong their clock is."""
        for name in names or self.daemons():
            one = self.daemons()[name]
            before = () if clock is None else (sys.executable, "-P", str(WRONG_CLOCK), str(clock))
            replace(one, argv=(*before, *one.argv)).start()

    def signal(self, name: str, number: signal.Signals) -> None:
        self.daemons()[name].kill(number)

    def dead(self) -> list[str]:
        """Daemons that have no process."""
        return [name for name, one in self.daemons().items() if not one.alive()]

    def answers(self) -> bool:
        """Whether the compute API does what it is for, and every host is up."""
        services = self.rest("admin", Ledger()).ask(
            self.url("compute"), "GET", "/os-services?binary=nova-compute", timeout_s=5
        )
        if services.status != 200:
            return False
        ours = [one for one in services.body["services"] if one["host"] in self.hosts]
        return len(ours) == len(self.hosts) and all(one["state"] == "up" for one in ours)

    def wait_ready(self) -> None:
        process.wait_for(f"{self.name} world", self._is_ready, START_S)

    def _is_ready(self) -> bool:
        if dead := self.dead():
            one = self.daemons()[dead[0]]
            raise process.LabError(f"{one.name} ended; log {one.log}:\n{one.tail(25)}")
        with contextlib.suppress(*LOST):
            return self.answers()
        return False

    def mount_small(self, where: pathlib.Path, megabytes: int) -> None:
        """Put a small disk of its own under a directory.

        :raises NotHere: this machine does not let us.
        """
        where.mkdir(parents=True, exist_ok=True)
        command = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=0711", "chaos", str(where)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=20)
        if done.returncode:
            raise NotHere(f"mount: {done.stderr.strip()}")
        self._mounts.append(where)

    def keep(self) -> None:
        """Before stop(): copy what lies on small disks to where it stays, for whoever wants to know why."""
        for number, where in enumerate(self._mounts):
            shutil.copytree(where, self.root / f"kept-{number}", dirs_exist_ok=True)

    def unmount(self) -> None:
        """Give the small disks back."""
        while self._mounts:
            subprocess.run(["umount", "-l", str(self._mounts.pop())], capture_output=True, timeout=20)

    @property
    def small_disks(self) -> list[pathlib.Path]:
        return list(self._mounts)

    def pids(self) -> dict[str, int]:
        return {name: pid for name, one in self.daemons().items() if (pid := one.pid())}


def owner_of(port: int, pids: Iterable[int]) -> int | None:
    """Which of these processes has the loopback TCP connection from that port."""
    wanted = f"0100007F:{port:04X}"
    for line in pathlib.Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        if fields[1] == wanted:
            target = f"socket:[{fields[9]}]"
            return next((pid for pid in pids if _has(pid, target)), None)
    return None


def _has(pid: int, target: str) -> bool:
    with contextlib.suppress(OSError):
        for entry in os.scandir(f"/proc/{pid}/fd"):
            with contextlib.suppress(OSError):
                if os.readlink(entry.path) == target:
                    return True
    return False


def until(what: str, ready: Any, timeout_s: float) -> float:
    """Seconds until ``ready`` was true. :raises LabError: it took longer."""
    begun = time.monotonic()
    process.wait_for(what, ready, timeout_s)
    return time.monotonic() - begun
