"""Where the lab keeps its things: directories, ports and passwords, chosen at the first `up` and kept."""

from __future__ import annotations

import json
import os
import pathlib
import secrets
from dataclasses import dataclass

from lab import process

TOP = pathlib.Path(__file__).resolve().parents[2]

# What is tried first; a port that something else holds is replaced by a free one.
PREFERRED_PORTS = {
    "epmd": 24369, "amqp": 25673, "erlang": 25674, "management": 25675,
    "mariadb": 23306, "postgresql": 25432, "keystone": 25000, "glance": 29292, "compute": 28774,
    "network": 29696, "volume": 28776,
}  # fmt: skip
SECRETS = ("admin", "demo", "service", "rabbitmq", "database", "cookie")


@dataclass(frozen=True)
class Layout:
    """One lab: its root directory, ports and secrets."""

    root: pathlib.Path
    ports: dict[str, int]
    secrets: dict[str, str]

    def directory(self, name: str) -> pathlib.Path:
        path = self.root / name
        path.mkdir(parents=True, exist_ok=True)
        return path

    def url(self, service: str, path: str = "") -> str:
        return f"http://127.0.0.1:{self.ports[service]}{path}"

    @property
    def neighbours(self) -> pathlib.Path:
        """The virtual environment of Keystone and Glance."""
        return TOP / ".lab" / "venv-neighbours"

    @property
    def conf(self) -> pathlib.Path:
        return self.root / "nova-lite.conf"

    def remember(self, **facts: object) -> None:
        """Keep what `up` was told, for `status`, `down` and the tests."""
        (self.root / "up.json").write_text(json.dumps(facts, indent=2) + "\n")

    def remembered(self) -> dict[str, object]:
        try:
            return dict(json.loads((self.root / "up.json").read_text()))
        except (OSError, ValueError):
            return {}


def without_strangers(lab: Layout, ours: set[str]) -> Layout:
    """The lab with new ports in place of those that another process took since; `ours` are held by our own."""
    new = {name: process.free_port() for name, port in lab.ports.items() if name not in ours and process.answers(port)}
    if not new:
        return lab
    path = lab.root / "lab.json"
    path.write_text(json.dumps({"ports": {**lab.ports, **new}, "secrets": lab.secrets}, indent=2) + "\n")
    return load()


def root() -> pathlib.Path:
    """NOVA_LITE_LAB_DIR, or .lab in the checkout."""
    return pathlib.Path(os.environ.get("NOVA_LITE_LAB_DIR", TOP / ".lab")).resolve()


def load() -> Layout:
    """The lab of this checkout; written down the first time."""
    base = root()
    path = base / "lab.json"
    if not path.exists():
        base.mkdir(parents=True, exist_ok=True)
        facts = {
            "ports": {name: process.free_port(port) for name, port in PREFERRED_PORTS.items()},
            "secrets": {name: secrets.token_hex(12) for name in SECRETS},
        }
        path.touch(mode=0o600)
        path.write_text(json.dumps(facts, indent=2) + "\n")
    facts = json.loads(path.read_text())
    missing = {name: process.free_port(port) for name, port in PREFERRED_PORTS.items() if name not in facts["ports"]}
    if missing:  # a lab made by an older checkout
        facts["ports"].update(missing)
        path.write_text(json.dumps(facts, indent=2) + "\n")
    return Layout(base, facts["ports"], facts["secrets"])
