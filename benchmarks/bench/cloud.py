"""A cloud of the benchmark's own: one nova-lite-all-in-one with the fake driver, with its own directory and ports."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from bench.client import Answer, Connection, Target
from bench.floors import free_ports

TOP = Path(__file__).resolve().parents[2]
_PATH = f"{TOP}:{TOP / 'benchmarks'}"
START_S = 60.0
STOP_S = 30.0
POLL_S = 0.005
FLAVOR = {"name": "bench.tiny", "ram": 64, "vcpus": 1, "disk": 1}
# What may be run as the cloud: the product, and the same with a journal that promises nothing.
PRODUCT = "nova_lite.cmd.all_in_one"
FORGETFUL = "bench.forgetful"


class Cloud:
    """The process and the ways into it. ``started_at`` is the moment of its start (perf_counter seconds)."""

    def __init__(self, directory: Path, backend: str = "eventlet", program: str = PRODUCT) -> None:
        self.directory = directory
        names = ("compute", "identity", "image", "network", "volume")
        self.ports = dict(zip(names, free_ports(len(names)), strict=True))
        self.log = directory / "all-in-one.log"
        (directory / "nova-lite.conf").write_text(_configuration(directory, self.ports, backend), encoding="utf-8")
        self.started_at = time.perf_counter()
        start = f"import sys; from {program} import main; sys.exit(main())"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-W", "ignore", "-c", start, "--config-file", str(directory / "nova-lite.conf")],
                cwd=TOP,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**os.environ, "NOVA_LITE_CONCURRENCY_BACKEND": backend, "PYTHONPATH": _PATH},
                start_new_session=True,
            )

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.ports['compute']}/v2.1"

    def token(self, cloud: str = "nova-lite") -> str:
        """A token of a user in clouds.yaml. :raises OSError: not yet."""
        clouds = yaml.safe_load((self.directory / "clouds.yaml").read_text(encoding="utf-8"))["clouds"]
        auth = clouds[cloud]["auth"]
        domain = {"id": "default"}
        password = {"user": {"name": auth["username"], "password": auth["password"], "domain": domain}}
        scope = {"project": {"name": auth["project_name"], "domain": domain}}
        body = {"auth": {"identity": {"methods": ["password"], "password": password}, "scope": scope}}
        url = f"http://127.0.0.1:{self.ports['identity']}/v3/auth/tokens"
        answer = _request(url, "POST", json.dumps(body).encode())
        return answer.headers["x-subject-token"]

    def target(self) -> Target:
        return Target(self.endpoint, self.token())

    def upload_image(self, token: str) -> str:
        """An image of one empty mebibyte; its id."""
        base = f"http://127.0.0.1:{self.ports['image']}/v2/images"
        about = {"name": "bench", "disk_format": "raw", "container_format": "bare"}
        made = _request(base, "POST", json.dumps(about).encode(), token).body
        _request(f"{base}/{made['id']}/file", "PUT", bytes(1 << 20), token, "application/octet-stream")
        return str(made["id"])

    def make_flavor(self) -> str:
        """The flavor of the benchmarks; its id."""
        connection = Connection(Target(self.endpoint, self.token("nova-lite-admin")))
        with contextlib.closing(connection):
            return str(connection.expect(200, "POST", "/flavors", {"flavor": FLAVOR}).body["flavor"]["id"])

    def wait_for(self, ready: Any, what: str, limit_s: float = START_S) -> float:
        """Seconds from the start until ``ready`` returned something true; OSErrors and the like mean not yet.

        :raises RuntimeError: it did not, or the process ended; with the end of its log.
        """
        error: Exception | None = None
        while time.perf_counter() - self.started_at < limit_s and self.process.poll() is None:
            try:
                if ready():
                    return time.perf_counter() - self.started_at
            except (OSError, KeyError, TypeError, RuntimeError, yaml.YAMLError) as not_yet:
                error = not_yet
            time.sleep(POLL_S)
        tail = self.log.read_text(errors="replace")[-3000:]
        raise RuntimeError(f"the cloud did not reach: {what} ({error!r}; exit code {self.process.poll()})\n{tail}")

    def stop(self) -> float:
        """Seconds until the process had ended, by its pid only: asked first, forced after STOP_S."""
        begin = time.perf_counter()
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(timeout=STOP_S)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(timeout=10)
        return time.perf_counter() - begin


@contextlib.contextmanager
def running(backend: str = "eventlet", program: str = PRODUCT) -> Iterator[Cloud]:
    """A cloud that was just started, and is stopped and removed at the end whatever happens."""
    directory = Path(tempfile.mkdtemp(prefix="nova-lite-bench-"))
    cloud = Cloud(directory, backend, program)
    try:
        yield cloud
    finally:
        cloud.stop()
        shutil.rmtree(directory, ignore_errors=True)


def _configuration(directory: Path, ports: dict[str, int], backend: str) -> str:
    return f"""[DEFAULT]
state_path = {directory}
host = bench
osapi_compute_listen = 127.0.0.1
osapi_compute_listen_port = {ports["compute"]}
concurrency_backend = {backend}
[embedded]
identity_port = {ports["identity"]}
image_port = {ports["image"]}
network_port = {ports["network"]}
volume_port = {ports["volume"]}
[compute]
driver = fake
[quota]
instances = -1
cores = -1
ram = -1
"""


def _request(url: str, method: str, data: bytes, token: str = "", content: str = "application/json") -> Answer:
    headers = {"Content-Type": content, **({"X-Auth-Token": token} if token else {})}
    request = urllib.request.Request(url, data=data, headers=headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=30) as response:
            answered = {name.lower(): value for name, value in response.headers.items()}
            return Answer(response.status, answered, response.read())
    except urllib.error.HTTPError as error:
        raise RuntimeError(f"{method} {url}: {error.code} {error.read()[:500]!r}") from None
