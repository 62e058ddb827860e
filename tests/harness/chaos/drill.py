"""Two drills with figures: every cast lost, and power lost with fifty operations in flight."""

from __future__ import annotations

import pathlib
import random
import statistics
import time
from collections.abc import Callable, Iterable
from typing import Any

from nova_lite.db import session
from tests.harness.chaos import workload
from tests.harness.chaos.books import Books
from tests.harness.chaos.lab_world import LabWorld
from tests.harness.chaos.lost_casts import LostCasts
from tests.harness.chaos.rest import Rest
from tests.harness.chaos.world import until

COUNT = 20
IN_FLIGHT, AT_ONCE = 50, 10
LIMIT_S = 300.0
# Guests take their time, or nothing would be in flight; leases and sweeps are those that operators get.
SLOW = {"fake_driver.delays": "spawn:3,reboot:3,destroy:3,finish_migration:3"}


class _User:
    """Sends the drill's requests, and counts what it was promised."""

    def __init__(self, world: LabWorld) -> None:
        self._world = world
        self._rest: Rest = world.rest("demo")
        self._compute = world.url("compute")
        self.site = workload.prepare(world)

    def boot(self, name: str, number: int = 1) -> str:
        """So many servers by one request; the id of the first."""
        body = {"server": {
            "name": name, "imageRef": self.site.image, "flavorRef": self.site.flavors["chaos-small"],
            "networks": "none", "min_count": number,
        }}  # fmt: skip
        answer = self._rest.ask(self._compute, "POST", "/servers", body, {"Idempotency-Key": name})
        if answer.status != 202:
            raise RuntimeError(f"{name}: {answer}")
        server = str(answer.body["server"]["id"])
        self._world.ledger.promise(answer, server, "create")
        return server

    def act(self, server: str, name: str, arguments: Any = None) -> None:
        if name == "delete":
            answer = self._rest.ask(self._compute, "DELETE", f"/servers/{server}")
        else:
            answer = self._rest.ask(self._compute, "POST", f"/servers/{server}/action", {name: arguments})
        if not 200 <= answer.status < 300:
            raise RuntimeError(f"{name} of {server}: {answer}")
        self._world.ledger.promise(answer, server, name)

    def statuses(self) -> dict[str, str]:
        answer = self._rest.ask(self._compute, "GET", "/servers/detail?limit=500")
        busy = {"BUSY"}
        return {
            each["id"]: next(iter(busy)) if each["OS-EXT-STS:task_state"] else each["status"]
            for each in (answer.body["servers"] if answer.status == 200 else ())
        }

    def wait(self, servers: Iterable[str], status: str | None) -> float:
        """Seconds until all have the status; None: until all are gone."""
        wanted = set(servers)

        def there() -> bool:
            now = self.statuses()
            return not wanted & now.keys() if status is None else all(now.get(each) == status for each in wanted)

        return until(f"{len(wanted)} servers {status or 'gone'}", there, LIMIT_S)


def lost_casts(root: pathlib.Path, engine: str, seed: int, times: int) -> dict[str, Any]:
    """No cast ever arrives: 20 boots, 20 resizes and 20 deletes, each wave from its first request to its last end."""
    world = LabWorld(root, engine, hosts=2, settings={}, loses_casts=True)
    LostCasts.lost = 0
    facts: dict[str, Any] = {"drill": "lost-casts", "count": COUNT, "seconds": {}}
    try:
        world.start()
        user = _User(world)
        waves: tuple[tuple[str, Callable[[str], Any], str | None], ...] = (
            ("resize", lambda each: user.act(each, "resize", {"flavorRef": user.site.flavors["chaos-large"]}),
             "VERIFY_RESIZE"),
            ("delete", lambda each: user.act(each, "delete"), None),
        )  # fmt: skip
        begun = time.monotonic()
        servers = [user.boot(f"lost-{seed}-{number}") for number in range(COUNT)]
        user.wait(servers, "ACTIVE")
        facts["seconds"]["boot"] = round(time.monotonic() - begun, 1)
        for name, act, status in waves:
            begun = time.monotonic()
            for each in servers:
                act(each)
            user.wait(servers, status)
            facts["seconds"][name] = round(time.monotonic() - begun, 1)
        verdict = Books(world).settle(LIMIT_S)
        facts |= {"lost": LostCasts.lost, "violations": [*verdict.wrong, *world.ledger.wrong]}
    finally:
        world.stop()
    if not facts["lost"]:
        facts["violations"].append("no cast was lost: the drill tested nothing")
    print(facts)
    return facts


def power_loss(root: pathlib.Path, engine: str, seed: int, times: int) -> dict[str, Any]:
    """kill -9 of all daemons, broker and database with 50 operations open, again and again, on the shipped settings.

    ``seconds`` from the moment at which everything is started again until all books agree.
    """
    chance = random.Random(seed)
    world = LabWorld(root, engine, hosts=3, settings=SLOW)
    facts: dict[str, Any] = {"drill": "power-loss", "in_flight": [], "seconds": [], "violations": []}
    try:
        world.start()
        user = _User(world)
        books = Books(world)
        for turn in range(times):
            facts["in_flight"].append(_get_busy(world, user, books, f"{seed}-{turn}"))
            time.sleep(chance.uniform(0, 3))
            world.kill()
            world.kill_neighbours()
            begun = time.monotonic()
            world.start_neighbours()
            world.revive()
            verdict = books.settle(LIMIT_S)
            facts["seconds"].append(round(time.monotonic() - begun, 1))
            facts["violations"] += [*verdict.wrong, *world.ledger.wrong]
            print(f"{turn + 1:3} {facts['in_flight'][-1]} in flight, mended in {facts['seconds'][-1]} s", flush=True)
            if facts["violations"]:
                break
    finally:
        world.stop()
    facts |= {"median_s": statistics.median(facts["seconds"]), "worst_s": max(facts["seconds"])}
    print(facts)
    return facts


def _get_busy(world: LabWorld, user: _User, books: Books, mark: str) -> int:
    """Boots, reboots, resizes and deletes until 50 operations are open; how many there are then."""
    idle = [each for each, status in user.statuses().items() if status == "ACTIVE"]
    for number, server in enumerate(idle[:30]):
        arguments = [("reboot", {"type": "HARD"}), ("delete", None), ("delete", None)][number % 3]
        user.act(server, *arguments)
    for each, status in user.statuses().items():
        if status in ("ERROR", "VERIFY_RESIZE"):
            user.act(each, "delete")
    session.configure(world.database_url)
    number = 0
    while len(books.restless()) < IN_FLIGHT:
        user.boot(f"power-{mark}-{number}", AT_ONCE)
        number += 1
    return len(books.restless())


DRILLS: dict[str, Callable[[pathlib.Path, str, int, int], dict[str, Any]]] = {
    "lost-casts": lost_casts, "power-loss": power_loss,
}  # fmt: skip
