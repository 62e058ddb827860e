"""The lab as chaos sees it: RabbitMQ, MariaDB or PostgreSQL, Keystone, Glance and nova-lite's daemons, with proxies."""

from __future__ import annotations

import contextlib
import os
import pathlib
import signal
import subprocess
import time

from lab import daemons, databases, process, rabbitmq
from tests.harness.chaos.lost_casts import LostCasts
from tests.harness.chaos.proxy import Proxy
from tests.harness.chaos.world import QUICK, ROOMY, NotHere, World
from tests.harness.laboratory import Laboratory

HOST_DISK_MB = 4
DATABASE, BROKER = "database", "broker"
REPAIR_S = 40.0


class LabWorld(World):
    """A lab of its own under ``root``; ``settings`` in place of the quick ones."""

    name = "lab"

    def __init__(
        self, root: pathlib.Path, engine: str = "mariadb", hosts: int = 3, settings: dict[str, str] | None = None,
        loses_casts: bool = False,
    ) -> None:  # fmt: skip
        super().__init__(root)
        os.environ["NOVA_LITE_LAB_DIR"] = str(root)
        self.laboratory = Laboratory()
        self.engine = engine
        self._settings = {**ROOMY, **(QUICK if settings is None else settings)}
        lab = self.laboratory.lab
        self._ports = lab.ports[engine], lab.ports["amqp"]
        make_filter = LostCasts if loses_casts else None
        self.proxies = {DATABASE: Proxy(self._ports[0]), BROKER: Proxy(self._ports[1], make_filter=make_filter)}
        states = [daemons.host_state(lab, engine, daemons.host_name(number)) for number in range(1, hosts + 1)]
        self.hosts = {state.name: state / "fake" / state.name for state in states}

    # -- life -------------------------------------------------------------------------------------

    def start(self) -> None:
        for proxy in self.proxies.values():
            proxy.start()
        self._clean_slate()
        with contextlib.suppress(NotHere):
            self.mount_small(next(iter(self.hosts.values())), HOST_DISK_MB)
        lab, proxied = self.laboratory.lab, self._proxied
        settings = {
            **self._settings, "transport_url": proxied(rabbitmq.url(lab), 1),
            "database.connection": proxied(databases.MAKERS[self.engine](lab).url(), 0),
        }  # fmt: skip
        words = [word for name, value in settings.items() for word in ("--set", f"{name}={value}")]
        self.laboratory.up("--database", self.engine, "--driver", "fake", "--hosts", str(len(self.hosts)),
                           "--conductors", "2", *words)  # fmt: skip
        self.wait_ready()

    def _clean_slate(self) -> None:
        """No servers of an earlier run in database, hypervisors or images."""
        self.laboratory.call("down")
        subprocess.run(["rm", "-rf", str(self.root / "state"), str(self.root / "glance")], check=True, timeout=60)
        self._forget_rows()

    def _forget_rows(self) -> None:
        folders = databases.Postgresql(self.laboratory.lab).data, self.root / "mariadb" / "data"
        subprocess.run(["rm", "-rf", *map(str, folders)], check=True, timeout=60)

    def _proxied(self, url: str, which: int) -> str:
        proxy = self.proxies[DATABASE if which == 0 else BROKER]
        return url.replace(f":{self._ports[which]}/", f":{proxy.port}/")

    def stop(self) -> None:
        try:
            for one in self.daemons().values():
                one.kill(signal.SIGCONT)
            self.laboratory.call("down")
            self._forget_rows()
        finally:
            for proxy in self.proxies.values():
                proxy.stop()
            self.unmount()

    # -- what there is ----------------------------------------------------------------------------

    def daemons(self) -> dict[str, process.Process]:
        return daemons.processes(self.laboratory.lab, self.laboratory.fleet)

    def url(self, service: str) -> str:
        lab = self.laboratory.lab
        return {
            "identity": lab.url("keystone", "/v3"), "compute": lab.url("compute", "/v2.1"),
            "image": lab.url("glance", "/v2"), "network": lab.url("network", "/v2.0"),
            "volume": lab.url("volume", "/v3"),
        }[service]  # fmt: skip

    def password(self, user: str) -> str:
        return self.laboratory.lab.secrets[user]

    @property
    def database(self) -> databases.Mariadb | databases.Postgresql:
        return databases.MAKERS[self.engine](self.laboratory.lab)

    @property
    def database_url(self) -> str:
        return self.database.url()

    def queue_depths(self) -> dict[str, int]:
        found = rabbitmq.management(self.laboratory.lab, "queues")
        return {one["name"]: one.get("messages", 0) for one in found if one.get("consumers")}

    # -- broker and database ----------------------------------------------------------------------

    def kill_neighbours(self) -> None:
        """kill -9 of broker and database."""
        self.kill_broker()
        self.kill_database()

    def start_neighbours(self) -> None:
        """Return when both serve."""
        self.start_database()
        self.start_broker()

    def kill_broker(self) -> None:
        """kill -9 of the broker's whole session: the Erlang machine is a child of a script."""
        _kill_session(rabbitmq.server(self.laboratory.lab))

    def start_broker(self) -> None:
        """Return when it listens."""
        _patiently(lambda: rabbitmq.start(self.laboratory.lab))

    def stop_broker(self) -> None:
        rabbitmq.server(self.laboratory.lab).stop()

    def kill_database(self) -> None:
        _kill_session(self.database.server())

    def start_database(self) -> None:
        """Return when it takes statements."""
        _patiently(self.database.start)

    def stop_database(self) -> None:
        self.database.stop()

    def kill_connections(self) -> int:
        """The server ends every connection of nova-lite; how many there were."""
        if self.engine == "postgresql":
            found = self.laboratory.rows(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                f"WHERE usename = '{databases.USER}' AND pid <> pg_backend_pid()"
            )
            return len(found)
        ids = [row[0] for row in self.laboratory.rows(
            f"SELECT id FROM information_schema.processlist WHERE user = '{databases.USER}'"
        )]  # fmt: skip
        for ident in ids:
            with contextlib.suppress(process.LabError):  # it ended by itself meanwhile
                self.laboratory.rows(f"KILL {ident}")
        return len(ids)


def _kill_session(one: process.Process) -> None:
    pid = one.pid()
    if pid is not None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)
        process.wait_for(one.name, lambda: not one.alive(), 10)


def _patiently(start: object) -> None:
    """What was killed leaves traces that go after seconds: names at epmd, shared memory, children."""
    end = time.monotonic() + REPAIR_S
    while True:
        try:
            start()  # type: ignore[operator]
            return
        except process.LabError:
            if time.monotonic() > end:
                raise
            time.sleep(0.5)
