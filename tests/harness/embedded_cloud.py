"""The embedded identity, image and network services in a process of their own, with stock clients pointed at them."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openstack

from tests.harness.clients.walk import Client
from tests.harness.daemon import free_ports_in_a_row

SERVER = Path(__file__).with_name("embedded_server.py")
START_S = 30


class EmbeddedCloud:
    """Starts, kills and restarts the services on the same state."""

    def __init__(self, directory: Path, backend: str, options: str = "") -> None:
        self.directory = directory
        self.state = directory / "state"
        self.backend = backend
        first = free_ports_in_a_row(4)
        self.identity_port, self.image_port, self.network_port, self.volume_port = range(first, first + 4)
        self.conf_file = directory / "nova-lite.conf"
        self.conf_file.write_text(
            f"[DEFAULT]\nstate_path = {self.state}\n"
            f"[embedded]\nidentity_port = {self.identity_port}\nimage_port = {self.image_port}\n"
            f"network_port = {self.network_port}\nvolume_port = {self.volume_port}\n{options}"
        )
        self._process: subprocess.Popen[str] | None = None
        self._clients: dict[str, Client] = {}

    @property
    def auth_url(self) -> str:
        return f"http://127.0.0.1:{self.identity_port}/v3"

    @property
    def image_url(self) -> str:
        return f"http://127.0.0.1:{self.image_port}"

    @property
    def passwords(self) -> dict[str, str]:
        known: dict[str, str] = json.loads((self.state / "embedded/identity/credentials.json").read_text())
        return known

    def _environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("OS_")}
        return kept | {"NOVA_LITE_CONCURRENCY_BACKEND": self.backend, "PYTHONWARNINGS": "ignore"}

    def start(self) -> None:
        """Return when all services listen."""
        with open(self.directory / "server.log", "a") as log:
            self._process = subprocess.Popen(
                [sys.executable, str(SERVER), "--config-file", str(self.conf_file)],
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                env=self._environment(),
            )
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line == f"READY {self.backend}\n", (self.directory / "server.log").read_text()[-3000:]

    def kill(self) -> None:
        """As by kill -9."""
        assert self._process is not None
        self._process.kill()
        self._process.communicate(timeout=10)

    def rss_mb(self) -> float:
        assert self._process is not None
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0]) / 1024

    def stop(self) -> None:
        while self._clients:
            self._clients.popitem()[1].close()
        assert self._process is not None
        self._process.terminate()
        self._process.communicate(timeout=10)

    def cli(self, *arguments: str, cloud: str = "nova-lite", stdin: bytes | None = None) -> subprocess.CompletedProcess:
        """Run the stock ``openstack`` command: in one process for each cloud, but for what is piped into one."""
        environment = self._environment() | {
            "OS_CLIENT_CONFIG_FILE": str(self.state / "clouds.yaml"), "HOME": str(self.directory),
        }  # fmt: skip
        words = ["--os-cloud", cloud, *arguments]
        if stdin is not None:
            command = [str(Path(sys.executable).with_name("openstack")), *words]
            return subprocess.run(command, env=environment, input=stdin, capture_output=True, timeout=90)
        if cloud not in self._clients:
            self._clients[cloud] = Client("openstack", environment)
        code, out, err = self._clients[cloud].run(words)
        return subprocess.CompletedProcess(words, code, out.encode(), err.encode())

    def json(self, *arguments: str, cloud: str = "nova-lite") -> Any:
        """The command's result; it must succeed."""
        done = self.cli(*arguments, "-f", "json", cloud=cloud)
        assert done.returncode == 0, done.stderr.decode()
        return json.loads(done.stdout)

    def sdk(self, cloud: str = "nova-lite") -> Any:
        """An openstacksdk connection."""
        config = openstack.config.OpenStackConfig(
            config_files=[str(self.state / "clouds.yaml")], load_envvars=False, load_yaml_config=True
        )
        return openstack.connection.Connection(config=config.get_one(cloud))


@contextlib.contextmanager
def running(directory: Path, backend: str, options: str = "") -> Iterator[EmbeddedCloud]:
    """A cloud that ends with the block."""
    cloud = EmbeddedCloud(directory, backend, options)
    begun = time.monotonic()
    cloud.start()
    assert time.monotonic() - begun < START_S
    try:
        yield cloud
    finally:
        cloud.stop()
