"""The replay as anybody runs it: its command line, real HTTP, real tokens, against the embedded cloud in a process."""

from __future__ import annotations

import json
import os
import pathlib
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
import requests

from tests.harness import daemon
from tests.harness.contract import material, replay

try:
    material.location()
except material.ContractMissing as error:
    pytest.skip(str(error), allow_module_level=True)

pytestmark = [pytest.mark.slow, pytest.mark.processes, pytest.mark.timeout(300)]
START_S = 30.0


@dataclass(frozen=True)
class Embedded:
    """URLs of the services, the state's directory, and passwords by user."""

    identity: str
    image: str
    compute: str
    network: str
    volume: str
    state: pathlib.Path

    def token(self, user: str) -> str:
        """A token of the user for the project demo."""
        passwords = json.loads((self.state / "embedded/identity/credentials.json").read_text(encoding="utf-8"))
        person = {"name": user, "domain": {"id": "default"}, "password": passwords[user]}
        scope = {"project": {"name": "demo", "domain": {"id": "default"}}}
        body = {"auth": {"identity": {"methods": ["password"], "password": {"user": person}}, "scope": scope}}
        answer = requests.post(f"{self.identity}/v3/auth/tokens", json=body, timeout=10)
        assert answer.status_code == 201, answer.text
        return answer.headers["X-Subject-Token"]

    def upload_image(self) -> str:
        headers = {"X-Auth-Token": self.token("demo")}
        facts = {"name": "tiny", "disk_format": "raw", "container_format": "bare"}
        made = requests.post(f"{self.image}/v2/images", json=facts, headers=headers, timeout=10).json()["id"]
        stream = headers | {"Content-Type": "application/octet-stream"}
        done = requests.put(f"{self.image}/v2/images/{made}/file", data=b"\0" * 4096, headers=stream, timeout=10)
        assert done.status_code == 204, done.text
        return str(made)

    def first_network(self) -> str:
        headers = {"X-Auth-Token": self.token("demo")}
        found = requests.get(f"{self.network}/v2.0/networks", headers=headers, timeout=10).json()["networks"]
        return str(found[0]["id"])

    def let_admin_into_demo(self) -> None:
        """The replay wants both roles in one project; the file of users is read again when it changed."""
        path = self.state / "embedded/identity/users.json"
        people = json.loads(path.read_text(encoding="utf-8"))
        (admin,) = [user for user in people["users"] if user["name"] == "admin"]
        admin["roles"].append({"role": "admin", "project": "demo"})
        path.write_text(json.dumps(people), encoding="utf-8")


@pytest.fixture(scope="module")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Embedded]:
    state = tmp_path_factory.mktemp("state")
    base = daemon.free_ports_in_a_row()
    command = [
        sys.executable, "-c", "import sys; from nova_lite.cmd.all_in_one import main; sys.exit(main())",
        "--fake", "--quiet", "--state-dir", str(state), "--port-base", str(base),
    ]  # fmt: skip
    environment = {name: value for name, value in os.environ.items() if not name.startswith("OS_")}
    log = state / "log"
    with log.open("w") as out:
        process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, env=environment)
    cloud = Embedded(*(f"http://127.0.0.1:{base + offset}" for offset in range(5)), state)
    try:
        _wait_ready(cloud, process, log)
        cloud.let_admin_into_demo()
        yield cloud
    finally:
        process.terminate()
        process.wait(timeout=20)


def _wait_ready(cloud: Embedded, process: subprocess.Popen[bytes], log: pathlib.Path) -> None:
    end = time.monotonic() + START_S
    while True:
        assert process.poll() is None and time.monotonic() < end, log.read_text(encoding="utf-8")[-3000:]
        try:
            requests.get(cloud.compute, timeout=1)
            return
        except (requests.ConnectionError, requests.Timeout):
            time.sleep(0.1)


def test_the_command_line_over_http(embedded: Embedded, capsys: pytest.CaptureFixture[str]) -> None:
    code = replay.main(
        [
            "--endpoint", embedded.compute, "--token-member", embedded.token("demo"),
            "--token-admin", embedded.token("admin"), "--image", embedded.upload_image(),
            "--network", embedded.first_network(), "--network-endpoint", embedded.network,
            "--volumes", f"{embedded.volume}/v3",
            "--tier", "T1", "--operation", r"servers|keypairs|limits|root|flavors/\{id\}",
        ]
    )  # fmt: skip
    out = capsys.readouterr().out
    assert code == 0, out
    listed, passed, failed, blocked, above = map(int, re.findall(r"^sum +(.*)$", out, re.M)[0].split())
    assert (failed, blocked) == (0, 0), out
    assert listed == passed + blocked + above and passed > 170, out
