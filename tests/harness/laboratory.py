"""The lab as tests see it: fleets by name, stock clients as subprocesses, and the places where truth lies."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lab import daemons, databases, hypervisor, layout, neighbours, rabbitmq

if TYPE_CHECKING:
    from openstack.connection import Connection

STABLE_S = 90


def until(what: str, ready: Callable[[], Any], timeout_s: float = STABLE_S) -> Any:
    """Poll until the answer is true; returns it. Fails with the last answer otherwise."""
    end = time.monotonic() + timeout_s
    while not (answer := ready()):
        assert time.monotonic() < end, f"{what}: still {answer!r} after {timeout_s} s"
        time.sleep(0.1)
    return answer


@dataclass(frozen=True)
class Laboratory:
    """A running lab. Every question goes to where the fact really lies: API, broker, database or hypervisor."""

    @property
    def lab(self) -> layout.Layout:
        """Ports and places as they are now: another `up` may have found a port taken."""
        return layout.load()

    def up(self, *arguments: str) -> None:
        """bin/nova-lite-lab up with these arguments."""
        self.call("up", *arguments)

    def call(self, *arguments: str) -> str:
        program = str(layout.TOP / "bin" / "nova-lite-lab")
        done = subprocess.run([program, *arguments], capture_output=True, text=True, timeout=600)
        assert done.returncode == 0, f"nova-lite-lab {' '.join(arguments)}:\n{done.stdout}{done.stderr}"
        return done.stdout

    @property
    def fleet(self) -> daemons.Fleet:
        return daemons.Fleet.remembered(self.lab)

    def daemon(self, name: str) -> Any:
        return daemons.processes(self.lab, self.fleet)[name]

    def openstack(self, *arguments: str, cloud: str = "lab") -> str:
        """The stock `openstack` command."""
        return self._client([str(daemons.BIN / "openstack"), *arguments], daemons.client_environment(self.lab, cloud))

    def nova(self, *arguments: str) -> str:
        """The stock `nova` command, as the demo user."""
        env = {**daemons.client_environment(self.lab), **daemons.openrc(self.lab, "demo")}
        del env["OS_CLOUD"]
        return self._client([str(daemons.BIN / "nova"), *arguments], env)

    def _client(self, argv: list[str], env: dict[str, str]) -> str:
        done = subprocess.run(argv, env=env, capture_output=True, text=True, timeout=180)
        assert done.returncode == 0, f"{' '.join(argv)}: exit {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stdout

    def json(self, *arguments: str, cloud: str = "lab") -> Any:
        return json.loads(self.openstack(*arguments, "-f", "json", cloud=cloud))

    def connect(self, user: str = "demo") -> Connection:
        return neighbours.connect(self.lab, user, user)

    def published(self, queue: str) -> int:
        """Messages that the broker has routed to this queue since it exists, by its management counters."""
        for one in rabbitmq.management(self.lab, "queues"):
            if one["name"] == queue:
                return int(one.get("message_stats", {}).get("publish", 0))
        return 0

    def rows(self, sql: str) -> list[list[str]]:
        """What the database itself says."""
        database = databases.MAKERS[self.fleet.database](self.lab)
        return [line.split("\t") for line in database.rows(sql).splitlines() if line]

    def domains(self, host: int = 1) -> dict[str, str]:
        """uuid -> state of every domain of the host's libvirtd, as virsh tells."""
        return hypervisor.domains(hypervisor.uri(self.lab.root / f"libvirtd-{host}"))
