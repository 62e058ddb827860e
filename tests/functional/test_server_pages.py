"""Pages of servers while others create, change and delete: nobody is listed twice, nobody who stays is left out."""

from __future__ import annotations

import datetime
import random
import threading
import urllib.parse
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from nova_lite import concurrency
from nova_lite.clock import utcnow
from nova_lite.db import session
from nova_lite.db.api import instances
from nova_lite.objects import Instance
from tests.harness.cloud import ADMIN, PROJECT, Cloud
from tests.harness.database import make_instance

SORTS = (
    "", "sort_dir=asc", "sort_key=display_name", "sort_key=display_name&sort_dir=asc", "sort_key=vm_state",
    "sort_key=vm_state&sort_dir=asc&sort_key=display_name&sort_dir=desc", "sort_key=updated_at",
    "sort_key=updated_at&sort_dir=asc", "sort_key=key_name&sort_dir=asc", "sort_key=key_name", "sort_key=host",
    "sort_key=power_state&sort_dir=asc", "sort_key=launched_at", "sort_key=task_state&sort_dir=asc",
    "sort_key=terminated_at", "sort_key=uuid", "sort_key=locked&sort_dir=asc", "sort_key=config_drive",
)  # fmt: skip


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    with Cloud(tmp_path_factory.mktemp("cloud"), hosts=0) as running:
        yield running


class World:
    """Servers as rows: some stay as they are, the others come, change and go."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._made = 0
        with session.writer():
            self.stays = {self._make().uuid for _ in range(20)}
            self.others = [self._make().uuid for _ in range(20)]
        self.changed: set[str] = set()

    def close(self) -> None:
        with session.writer():
            for each in (*self.stays, *self.others):
                assert instances.tombstone(each)

    def _make(self) -> Instance:
        """Few values in each column, so that many are equal; times close together."""
        self._made += 1
        pick = self._chance.choice
        moment = utcnow() - datetime.timedelta(seconds=self._chance.randrange(5))
        return instances.insert(make_instance(
            f"vm{self._made}", uuid=str(uuid.UUID(int=self._chance.getrandbits(128))), project_id=PROJECT,
            display_name=pick("abcd"), vm_state=pick(("active", "stopped", "paused", "error")),
            task_state=pick((None, "pausing", "powering-off")), power_state=pick((0, 1, 4)),
            key_name=pick((None, "k1", "k2")), host=pick((None, "h1", "h2")), launched_at=pick((None, moment)),
            locked=pick((True, False)), config_drive=pick((True, False)), created_at=moment, updated_at=moment,
        ))  # fmt: skip

    def happens(self, last_seen: str) -> None:
        """What others do between two pages; the marker itself is what they like best."""
        with session.writer():
            self._happens(last_seen)

    def _happens(self, last_seen: str) -> None:
        for _ in range(self._chance.randrange(6)):
            kind = self._chance.choice(("create", "delete", "change"))
            if kind == "create":
                self.others.append(self._make().uuid)
                continue
            if not self.others:
                continue
            favourite = last_seen in self.others and self._chance.random() < 0.6
            victim = last_seen if favourite else self._chance.choice(self.others)
            if kind == "delete":
                self.others.remove(victim)
                assert instances.tombstone(victim)
            else:
                self.changed.add(victim)
                pick = self._chance.choice
                assert instances.update_if(victim, {
                    "display_name": pick("abcd"), "vm_state": pick(("active", "stopped")), "task_state": None,
                    "key_name": pick((None, "k3")), "host": pick((None, "h3")), "power_state": pick((0, 7)),
                })  # fmt: skip


def _walk(cloud: Cloud, chance: random.Random, world: World, path: str, sort: str) -> list[str]:
    """Every id of every page, in order, by the links alone."""
    seen: list[str] = []
    url = f"{path}?limit={chance.randrange(1, 8)}&{sort}"
    for _ in range(500):
        answer = cloud.get(url, token=ADMIN)
        assert answer.status == 200, answer.body
        seen += [each["id"] for each in answer.json["servers"]]
        if "servers_links" not in answer.json:
            return seen
        (link,) = answer.json["servers_links"]
        url = link["href"].removeprefix("http://127.0.0.1:8774")
        world.happens(seen[-1])
    raise AssertionError(f"no end after 500 pages: {url}")


@pytest.mark.parametrize("sort", SORTS)
def test_who_stays_is_listed_once_whatever_others_do(cloud: Cloud, sort: str) -> None:
    seed = random.randrange(10**9)
    for number, path in enumerate(("/servers", "/servers/detail")):
        chance = random.Random(seed + 1 + number)
        world = World(chance)
        seen = _walk(cloud, chance, world, path, sort)
        where = f"seed {seed}, round {number}"
        listed = [each for each in seen if each in world.stays]
        assert sorted(listed) == sorted(world.stays), where
        unmoved = [each for each in seen if each not in world.changed]
        assert len(unmoved) == len(set(unmoved)), where
        world.close()


def test_a_link_says_the_place_only_where_it_may_change(cloud: Cloud) -> None:
    world = World(random.Random(1))
    for sort, told in (("", False), ("sort_key=uuid", False), ("sort_key=display_name", True)):
        for page in (f"/servers?limit=3&{sort}", f"/servers/detail?limit=3&{sort}"):
            href = cloud.get(page, token=ADMIN).json["servers_links"][0]["href"]
            query = urllib.parse.parse_qs(urllib.parse.urlsplit(href).query)
            assert ("_after" in query) == told
            assert cloud.get(href.removeprefix("http://127.0.0.1:8774"), token=ADMIN, version="2.1").status == 200
    world.close()


def test_the_marker_alone_is_enough_while_its_server_stays(cloud: Cloud) -> None:
    world = World(random.Random(2))
    whole = [each["id"] for each in cloud.get("/servers?sort_key=display_name", token=ADMIN).json["servers"]]
    found: list[str] = []
    while len(found) < len(whole):
        marker = f"&marker={found[-1]}" if found else ""
        page = cloud.get(f"/servers?limit=7&sort_key=display_name{marker}", token=ADMIN).json["servers"]
        found += [each["id"] for each in page]
    assert found == whole
    world.close()


@pytest.mark.parametrize("word", ["zzz", "", "%00", "W10", "WzFd", "WyJhIl0", "bnVsbA", "W1tdXQ", "[" * 200, "ä"])
def test_a_place_that_nobody_told_is_refused(cloud: Cloud, word: str) -> None:
    server = instances.insert(make_instance("one", uuid=str(uuid.uuid4()), project_id=PROJECT))
    path = f"/servers?sort_key=display_name&marker={server.uuid}&_after={urllib.parse.quote(word, safe='%')}"
    assert cloud.get(path, token=ADMIN).status == 400
    assert cloud.get(f"/servers?_after={urllib.parse.quote(word, safe='')}", token=ADMIN).status == 200
    assert instances.tombstone(server.uuid)


def test_readers_and_writers_at_once(cloud: Cloud) -> None:
    """The same with threads: three readers walk while two writers create and delete as fast as they can."""
    seed = random.randrange(10**9)
    world = World(random.Random(seed))
    ended = threading.Event()

    def write(number: int) -> None:
        chance = random.Random(seed + 1 + number)
        mine: list[str] = []
        while not ended.is_set():
            if mine and chance.random() < 0.5:
                assert instances.tombstone(mine.pop(chance.randrange(len(mine))))
            else:
                made = make_instance("busy", uuid=str(uuid.UUID(int=chance.getrandbits(128))), project_id=PROJECT,
                                     display_name=chance.choice("abcd"))  # fmt: skip
                mine.append(instances.insert(made).uuid)
            concurrency.sleep(0.001)
        for each in mine:
            instances.tombstone(each)

    def read(sort: str) -> list[Any]:
        seen: list[str] = []
        url = f"/servers?limit=5&{sort}"
        for _ in range(1000):
            answer = cloud.get(url, token=ADMIN).json
            seen += [each["id"] for each in answer["servers"]]
            if "servers_links" not in answer:
                return seen
            url = answer["servers_links"][0]["href"].removeprefix("http://127.0.0.1:8774")
            concurrency.sleep(0)
        return seen

    writers = [concurrency.spawn(write, number) for number in range(2)]
    try:
        readers = [concurrency.spawn(read, sort) for sort in ("sort_dir=asc", "sort_key=display_name", "sort_key=uuid")]
        walks = [reader.wait(60) for reader in readers]
    finally:
        ended.set()
    for writer in writers:
        writer.wait(20)
    for seen in walks:
        assert len(seen) == len(set(seen)), f"seed {seed}"
        assert world.stays <= set(seen), f"seed {seed}"
    world.close()
