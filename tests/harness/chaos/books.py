"""Do all books agree: the oracle over database, hypervisors, images, ports and volumes, and every promise ever made."""

from __future__ import annotations

import collections
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from nova_lite import concurrency, exception
from nova_lite.db import session
from nova_lite.db.api import instances, operations
from nova_lite.image import meta
from nova_lite.objects import OPEN_STATES, ImageMeta, Operation, OperationState, ServerSearch
from nova_lite.virt.fake import FakeDriver
from nova_lite.virt.fault_plan import FaultPlan
from tests.harness import oracle
from tests.harness.chaos.rest import Ledger, Promise
from tests.harness.chaos.world import World

LOOK_S = 0.2
# Said twice it is one operation, with the request id of the first.
ONCE = ("create", "delete")
SIZES = (1000, 8_000_000, 600_000)


class _Rows:
    """The services' REST answers in the form in which the oracles of one process ask for them."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._rest = world.rest("admin", Ledger())
        self.store = self
        self._ports: list[dict[str, Any]] | None = None

    def all(self, noun: str) -> list[dict[str, Any]]:
        assert noun == "port", noun
        if self._ports is None:
            self._ports = list(self._rest.must(self._world.url("network"), "GET", "/ports")["ports"])
        return self._ports

    def find(self, noun: str, ident: str) -> dict[str, Any] | None:
        return next((each for each in self.all(noun) if each["id"] == ident), None)

    def rows(self, path: str, key: str) -> list[dict[str, Any]]:
        self._rest.must(self._world.url("compute"), "GET", "/limits")  # makes sure that there is a token
        whole = f"/{self._rest.project}{path}?all_tenants=1"
        return list(self._rest.must(self._world.url("volume"), "GET", whole)[key])

    def images(self) -> dict[str, ImageMeta]:
        found: dict[str, ImageMeta] = {}
        path = "/images?limit=500"
        while path:
            body = self._rest.must(self._world.url("image"), "GET", path)
            found |= {each["id"]: meta.from_json(each) for each in body["images"]}
            path = body.get("next", "").removeprefix("/v2")
        return found


@dataclass(frozen=True)
class Verdict:
    """``wrong`` when time was up; ``seconds`` it took until nothing was wrong."""

    seconds: float
    wrong: tuple[str, ...]


class Books:
    """Of one world; while something is down it cannot be asked, which is a finding like others."""

    def __init__(self, world: World) -> None:
        self._world = world

    def settle(self, limit_s: float) -> Verdict:
        """Wait until nothing is open and nothing disagrees."""
        begun = time.monotonic()
        while True:
            wrong = self._look()
            seconds = time.monotonic() - begun
            if not wrong and seconds > limit_s:
                wrong = [f"I1: all books agreed only after {seconds:.0f} s"]
            if not wrong or seconds > limit_s:
                return Verdict(seconds, tuple(wrong))
            time.sleep(LOOK_S)

    def _look(self) -> list[str]:
        """The cheap questions first."""
        try:
            if dead := self._world.dead():
                return [f"daemons ended by themselves: {dead}"]
            if not self._world.answers():
                return ["the API does not answer, or does not see every host up"]
            session.configure(self._world.database_url)
            found = self.restless() or self.everything()
            return [each for each in found if not any(words in each for words in self._world.forgiven)]
        except (exception.NovaLiteError, RuntimeError, OSError, ValueError) as error:
            return [f"cannot be asked: {type(error).__name__}: {error}"]

    def restless(self) -> list[str]:
        """Open operations, few words each."""
        found = [each for topic in ("conductor", "compute") for each in operations.open_on_hosts(topic)]
        return [f"I2: operation {each.id} ({each.action} of {each.instance_uuid}) is {each.state}" for each in found]

    def everything(self) -> list[str]:
        rows = _Rows(self._world)
        drivers = {name: self._driver(name) for name in self._world.hosts}
        return [
            *oracle.violations(drivers, rows.images(), rows, rows),  # type: ignore[arg-type]
            *self._promises(),
        ]

    def _driver(self, host: str) -> FakeDriver:
        """The hypervisor as its files say; nothing is written."""
        driver = FakeDriver(host, FaultPlan(concurrency.sleep), SIZES, self._world.hosts[host])
        driver.init_host()
        driver.close()
        return driver

    # -- promises ---------------------------------------------------------------------------------

    def _promises(self) -> Iterable[str]:
        with self._world.ledger.lock:
            promises = list(self._world.ledger.promises)
        by_server: dict[str, list[Promise]] = collections.defaultdict(list)
        for each in promises:
            by_server[each.server].append(each)
        alive = {server.uuid: server for server in instances.list(ServerSearch(project_id=None, limit=100_000))}
        for server, made in by_server.items():
            rows = operations.list_for_instance(server)
            for promise in made:
                yield from _kept(promise, rows)
            if any(promise.action == "delete" for promise in made) and server in alive:
                yield f"I6: server {server} was to be deleted and is {alive[server].vm_state}"
        names = collections.Counter(server.display_name for server in alive.values())
        for name, number in names.items():
            if number > 1:
                yield f"I12: {number} servers were made of the one request {name}"

    def outcomes(self) -> dict[str, int]:
        """How the promised operations ended: done, or the beginning of each reason."""
        ends: collections.Counter[str] = collections.Counter()
        with self._world.ledger.lock:
            servers = {each.server for each in self._world.ledger.promises}
        for server in servers:
            for row in operations.list_for_instance(server):
                ends["done" if row.state == OperationState.DONE else f"failed: {(row.message or '')[:60]}"] += 1
        return dict(ends)


def _kept(promise: Promise, rows: list[Operation]) -> Iterable[str]:
    mine = [row for row in rows if row.request_id == promise.request_id]
    if promise.action in ONCE:
        mine = [row for row in rows if row.action == promise.action]
    if not mine:
        yield f"I2: {promise.action} of {promise.server} was accepted, and no operation has {promise.request_id}"
    for row in mine:
        if row.state in OPEN_STATES:
            yield f"I2: operation {row.id} ({row.action} of {row.instance_uuid}) is {row.state}"
        if row.state == OperationState.FAILED and not row.message:
            yield f"I2: operation {row.id} ({row.action} of {row.instance_uuid}) failed and says no reason"
