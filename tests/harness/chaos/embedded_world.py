"""nova-lite-all-in-one as chaos sees it: one process that is everything, three fake hosts, SQLite on a small disk."""

from __future__ import annotations

import contextlib
import json
import pathlib
import signal
import sys

from lab import process
from tests.harness.chaos.world import QUICK, ROOMY, NotHere, World
from tests.harness.daemon import TOP, free_ports_in_a_row

BINARY = "nova-lite-all-in-one"
STATE_MB = 192
PORTS = ("identity", "image", "compute", "network", "volume")
PATHS = {"identity": "/v3", "image": "/v2", "compute": "/v2.1", "network": "/v2.0", "volume": "/v3"}


class EmbeddedWorld(World):
    """Everything lies under ``root``; the state has a small disk of its own where this machine allows it."""

    name = "embedded"

    def __init__(self, root: pathlib.Path, hosts: int = 3, settings: dict[str, str] | None = None) -> None:
        super().__init__(root)
        self.state = root / "state"
        self._base = free_ports_in_a_row()
        self._settings = {**ROOMY, "host": "one", **(QUICK if settings is None else settings)}
        names = ["one", *(f"one-{number}" for number in range(2, hosts + 1))]
        self.hosts = {name: self.state / "fake" / name for name in names}

    def start(self) -> None:
        with contextlib.suppress(NotHere):
            self.mount_small(self.state, STATE_MB)
        self.root.mkdir(parents=True, exist_ok=True)
        self._conf.write_text(self._configuration())
        self.revive()
        self.wait_ready()

    @property
    def _conf(self) -> pathlib.Path:
        return self.root / "chaos.conf"

    def _configuration(self) -> str:
        sections: dict[str, list[str]] = {"DEFAULT": ["debug = true"]}
        for name, value in self._settings.items():
            group, _, option = name.rpartition(".")
            sections.setdefault(group or "DEFAULT", []).append(f"{option} = {value}")
        return "".join(f"[{name}]\n" + "\n".join(lines) + "\n" for name, lines in sections.items())

    def stop(self) -> None:
        try:
            one = self.daemons()[BINARY]
            one.kill(signal.SIGCONT)
            one.stop(30)
        finally:
            self.unmount()

    def daemons(self) -> dict[str, process.Process]:
        argv = [
            str(pathlib.Path(sys.executable).with_name(BINARY)), "--fake", "--hosts", str(len(self.hosts)), "--quiet",
            "--state-dir", str(self.state), "--port-base", str(self._base), "--config-file", str(self._conf),
        ]  # fmt: skip
        return {BINARY: process.Process(BINARY, self.root, argv, {"PYTHONPATH": str(TOP)})}

    def url(self, service: str) -> str:
        return f"http://127.0.0.1:{self._base + PORTS.index(service)}{PATHS[service]}"

    def password(self, user: str) -> str:
        known = json.loads((self.state / "embedded" / "identity" / "credentials.json").read_text())
        return str(known[user])

    @property
    def database_url(self) -> str:
        return f"sqlite:///{self.state / 'nova-lite.sqlite'}"
