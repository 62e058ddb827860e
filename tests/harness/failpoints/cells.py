"""The cells of the failpoint matrix, one after the other in one cloud: an operation, broken at one moment in one way.

A first run of an operation records the moments it passes; each cell is another run that breaks it at one of them. Then
the oracle judges, and judges again when everything that the operation made is gone.
"""

from __future__ import annotations

import contextlib
import pathlib
import tempfile
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any
from unittest import mock

from nova_lite.compute.action_row import Backoff
from nova_lite.compute.manager import ComputeManager
from nova_lite.conductor.rpcapi import ConductorRpcAPI
from nova_lite.scheduler import rpcapi as scheduler
from nova_lite.service import Service
from nova_lite.virt.fake import live_migration
from tests.harness.cloud import CONF, IMAGE_ID, Answer, Cloud
from tests.harness.failpoints import watch
from tests.harness.failpoints.breaker import Breaker, Killed, Kind, Moment, is_at_work
from tests.harness.failpoints.points import AFTER_COMMIT, BEFORE_COMMIT
from tests.harness.failpoints.preparations import OTHER_IMAGE
from tests.harness.failpoints.scenarios import Scenario

LEASE_S = 0.8
# A caller whose answer died with a process waits so long.
ANSWER_S = 0.7
# After which a request that was not accepted never will be; longer than one that hangs.
FORGOTTEN_S = 3.0
OPTIONS: dict[str, dict[str, Any]] = {
    "operations": {
        "heartbeat_interval_s": 0.2, "sweep_interval_s": 0.2, "lease_s": LEASE_S, "service_down_s": 0.9,
        "power_sync_interval_s": 1.5, "acceptance_s": FORGOTTEN_S,
    },
    # A request is tried once: what fails, fails.
    "cinder": {"http_retries": 0, "retry_delay_s": 0.01, "block_device_allocate_retries_interval": 0.02},
    "neutron": {"http_retries": 0},
    # A host that a preparation disables gets nothing from then on.
    "scheduler": {"host_cache_s": 0},
}  # fmt: skip
SETTLE_S = 15.0
HOSTS = 3
_HOSTS = [f"host{number + 1}" for number in range(HOSTS)]
_ALL = (*_HOSTS, "conductor", "scheduler")
# Parts in which the memory of a live migration goes over: each is the same moment again.
ROUNDS = 2
# How long what is tried until it is done rests between two tries.
REST_S = 0.1
# A moment that does not come (what runs side by side has no fixed order) is waited for in so many runs.
TRIES = 3
# Cells after which a cloud is replaced: those that were killed in it leave threads behind.
LIFE = 150


@dataclass(frozen=True)
class Cell:
    operation: str
    moment: Moment
    kind: Kind


@dataclass
class Result:
    """``struck``: the moment came; ``complaints``: what the oracle found when all should be quiet again."""

    cell: Cell
    struck: bool
    seconds: float
    complaints: list[str] = field(default_factory=list)


class HurriedCloud(Cloud):
    """A cloud whose hosts wait for a conductor's answer no longer than need be."""

    def _start(self, name: str, service: Service) -> None:
        if isinstance(service.manager, ComputeManager):
            door = service.manager._host.conductor
            door._rpcapi, door._pause_s = ConductorRpcAPI(ANSWER_S), 0.1
        super()._start(name, service)


class Matrix:
    """Runs cells, each in a quiet cloud; use it as a context, which has a directory and a cloud of its own."""

    def __init__(self) -> None:
        self._open: contextlib.ExitStack | None = None
        self._ran = 0
        self._expected: set[str] = set()

    def __enter__(self) -> Matrix:
        return self

    def __exit__(self, *_: object) -> None:
        self.throw_away()

    def moments(self, scenario: Scenario) -> list[Moment]:
        """What the operation passes when nothing goes wrong but what the scenario wants to."""
        result, answer, found = self._once(scenario, None)
        assert not result.complaints, f"{scenario.name} without any fault: {result.complaints}"
        assert answer is not None and (answer.status < 300 or scenario.may_fail), (scenario.name, answer)
        return found

    def run(self, scenario: Scenario, cell: Cell) -> Result:
        """The cell's verdict; a cell whose moment does not come is run again, as often as ``TRIES`` says."""
        for _ in range(TRIES):
            result, _, _ = self._once(scenario, cell)
            if result.struck or result.complaints:
                break
        return result

    def _once(self, scenario: Scenario, cell: Cell | None) -> tuple[Result, Answer | None, list[Moment]]:
        begun = time.monotonic()
        cloud, breaker = self._cloud_and_breaker()
        subject = scenario.prepare(cloud)
        self._expected = set(cloud.services)
        before = [] if scenario.restless else self._settle(looks=1)
        assert not before, f"{scenario.name}: the cloud was not quiet: {before}"
        breaker.begin(None if cell is None else (cell.moment, cell.kind), scenario.watches, scenario.alone)
        answer: Answer | None = None
        with contextlib.suppress(Killed):
            answer = scenario.act(cloud, subject)
        if scenario.brings_hosts_back:
            self._expected = {*_ALL}
        breaker.breathe()
        complaints = self._settle()
        struck, found = breaker.struck is not None, list(breaker.passed)
        breaker.rest()
        complaints = complaints and self._settle(5.0)
        complaints += self._clean(scenario, subject)
        if complaints:
            self.throw_away()
        shown = cell or Cell(scenario.name, Moment("", "", 0), Kind.DELAY)
        return Result(shown, struck, time.monotonic() - begun, complaints), answer, found

    def _clean(self, scenario: Scenario, subject: str) -> list[str]:
        """Remove every trace; what could not be removed, or was left."""
        cloud, _ = self._cloud_and_breaker()
        try:
            scenario.clean(cloud, subject, _HOSTS)
            self._expected = {*_ALL}
            left = self._settle(looks=1)
            scenario.sweep(cloud)
        except Exception as error:
            return [f"afterwards: {error!r:.500}"]
        return [f"afterwards: {each}" for each in left]

    def _settle(self, timeout_s: float = SETTLE_S, looks: int = 2) -> list[str]:
        """Wait until the oracle has nothing to say for so many looks; what it says when it never stops."""
        end = time.monotonic() + timeout_s
        quiet = 0
        while time.monotonic() < end:
            # Far cheaper than the oracle, who is not asked while anything is under way.
            quiet = 0 if is_at_work() or self._look() else quiet + 1
            if quiet == looks:
                return []
            time.sleep(0.08)
        return self._look()

    def _look(self) -> list[str]:
        cloud, breaker = self._cloud_and_breaker()
        if breaker.is_striking:
            return ["somebody stands still, or is being started again"]
        if set(cloud.services) != self._expected:
            return [f"services are {sorted(cloud.services)}"]
        return cloud.violations()

    # -- the cloud --------------------------------------------------------------------------------

    def _cloud_and_breaker(self) -> tuple[Cloud, Breaker]:
        if self._open is None:
            with contextlib.ExitStack() as opening:
                directory = pathlib.Path(opening.enter_context(tempfile.TemporaryDirectory()))
                self._running = opening.enter_context(_cloud(directory))
                self._breaker = Breaker(self._running, LEASE_S + 0.3)
                opening.callback(self._breaker.close)
                self._open, self._ran = opening.pop_all(), 0
        return self._running, self._breaker

    def grow_old(self) -> None:
        """Between two cells: one more has run in this cloud."""
        self._ran += 1
        if self._ran >= LIFE:
            self.throw_away()

    def throw_away(self) -> None:
        """The next run begins with a new cloud."""
        if self._open is not None:
            stack, self._open = self._open, None
            stack.close()


@contextlib.contextmanager
def _cloud(directory: pathlib.Path) -> Iterator[Cloud]:
    made = HurriedCloud(directory, hosts=HOSTS, options=OPTIONS)
    doors = watch.watch_drivers(made)
    with contextlib.ExitStack() as hurried:
        hurried.enter_context(mock.patch.object(Backoff, "rest_s", lambda *_: REST_S))
        hurried.enter_context(mock.patch.object(live_migration, "ROUNDS", ROUNDS))
        hurried.enter_context(mock.patch.object(scheduler, "TIMEOUT_S", ANSWER_S))
        cloud = hurried.enter_context(made)
        CONF.set_override("rpc_response_timeout", 1)
        watch.watch_neighbours(cloud, doors)
        tiny = cloud.images.images[IMAGE_ID]
        cloud.images.images[OTHER_IMAGE] = tiny.replace(id=OTHER_IMAGE, name="other")
        try:
            yield cloud
        finally:
            CONF.clear_override("rpc_response_timeout")


def cells(name: str, moments: Iterable[Moment], kinds: Iterable[Kind]) -> Iterator[Cell]:
    """Every cell of an operation; a moment that only some runs pass is in it as well."""
    for moment in dict.fromkeys(moments):
        for kind in kinds:
            if exists(moment.point, kind):
                yield Cell(name, moment, kind)


def exists(point: str, kind: Kind) -> bool:
    """Whoever holds the only write lock of SQLite for seconds stops everybody, which says nothing of us.

    Only an answer may come late, and the one of a commit is the one that says what was accepted.
    """
    return point == AFTER_COMMIT if kind is Kind.LATE else not (kind is Kind.HANG and point == BEFORE_COMMIT)
