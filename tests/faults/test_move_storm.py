"""A storm of moves: servers migrate, are aborted, stopped, deleted and evacuated while hosts die and return."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator

import pytest

from nova_lite import concurrency
from nova_lite.db.api import instances
from nova_lite.objects import ServerSearch
from nova_lite.virt.fake import FakeDriver
from tests.harness.cloud import ADMIN, Cloud

AUTO = {"host": None, "block_migration": "auto"}
SECONDS = 5.0
SERVERS = 8


@pytest.fixture
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    with Cloud(tmp_path_factory.mktemp("storm"), hosts=3) as running:
        for driver in running.drivers.values():
            _slow(driver)
        yield running


def _slow(driver: FakeDriver) -> None:
    for call, seconds in (("live_migrate_round", 0.02), ("pre_live_migration", 0.05), ("spawn", 0.05)):
        driver.plan.delay(call, seconds)


class Storm:
    """What may happen to a cloud, one thing at a time; ``dice`` decides."""

    def __init__(self, cloud: Cloud, dice: random.Random) -> None:
        self._cloud = cloud
        self._dice = dice
        self._servers = [cloud.boot(wait=None)["id"] for _ in range(SERVERS)]
        for server in self._servers:
            cloud.wait(server, "ACTIVE")

    def blow(self) -> None:
        chances: list[tuple[int, Callable[[str], None]]] = [
            (12, self._migrate), (4, self._abort), (2, self._force), (6, self._switch), (1, self._replace),
            (1, self._host_dies),
        ]  # fmt: skip
        (what,) = self._dice.choices([each for _, each in chances], [weight for weight, _ in chances])
        what(self._dice.choice(self._servers))

    def _act(self, server: str, action: str, body: object = None, version: str = "2.94") -> None:
        answer = self._cloud.act(server, action, body, token=ADMIN, version=version)
        assert answer.status < 500, answer.body

    def _migrate(self, server: str) -> None:
        self._act(server, "os-migrateLive", AUTO)

    def _abort(self, server: str) -> None:
        for each in self._cloud.get(f"/servers/{server}/migrations", token=ADMIN).json["migrations"]:
            answer = self._cloud.delete(f"/servers/{server}/migrations/{each['id']}", token=ADMIN)
            assert answer.status in (202, 400, 404, 409), answer.body

    def _force(self, server: str) -> None:
        for each in self._cloud.get(f"/servers/{server}/migrations", token=ADMIN).json["migrations"]:
            path = f"/servers/{server}/migrations/{each['id']}/action"
            answer = self._cloud.post(path, {"force_complete": None}, token=ADMIN)
            assert answer.status in (202, 400, 409), answer.body

    def _switch(self, server: str) -> None:
        self._act(server, self._dice.choice(["os-stop", "os-start", "pause", "unpause"]))

    def _replace(self, server: str) -> None:
        self._cloud.delete(f"/servers/{server}")
        self._servers[self._servers.index(server)] = self._cloud.boot(wait=None)["id"]

    def _host_dies(self, _: str) -> None:
        host = self._dice.choice(sorted(self._cloud.drivers))
        self._cloud.silence(host)
        for server in instances.list(ServerSearch(project_id=None, limit=1000)):
            if server.host == host and self._dice.random() < 0.7:
                self._act(server.uuid, "evacuate", {})
        concurrency.sleep(self._dice.random() / 2)
        _slow(self._cloud.revive(host))


def test_after_a_storm_everything_is_where_the_rows_say(cloud: Cloud) -> None:
    seed = random.randrange(10**6)
    print(f"seed {seed}")
    storm = Storm(cloud, random.Random(seed))
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        storm.blow()
        concurrency.sleep(0.02)
    for driver in cloud.drivers.values():
        driver.plan.clear()
    cloud.wait_quiet(40)
