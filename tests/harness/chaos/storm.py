"""Rounds of chaos: the crowd works, a fault begins and ends, the crowd rests, and all books must agree in time."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable, Iterator

from tests.harness.chaos import faults, gauges, workload
from tests.harness.chaos.books import Books
from tests.harness.chaos.faults import Dice, Fault
from tests.harness.chaos.probes import Probe
from tests.harness.chaos.report import Report, Round
from tests.harness.chaos.rest import TIMEOUT_S
from tests.harness.chaos.world import NotHere, World

# Seconds after a fault's end within which everything has to be as it should.
LIMIT_S = 90.0
# How long a message may wait in the end, in seconds.
QUEUES_S = 20.0
# The crowd works that long before a fault and after it.
BEFORE_S, AFTER_S = (2.0, 5.0), (0.5, 2.0)


class Storm:
    """One run in a world that is up. ``say`` hears of each round."""

    def __init__(
        self, world: World, seed: int, clients: int = 4, patience: float = 1.0, say: Callable[[str], None] = print
    ) -> None:
        self._world = world
        self._dice = Dice(random.Random(seed), patience)
        self._say = say
        self._books = Books(world)
        self._number = clients
        self.report = Report(world.name, seed)

    def run(self, seconds: float, names: tuple[str, ...] = (), rounds: int | None = None) -> Report:
        """Until so many seconds have passed (or so many rounds are done), and then to the end of the round."""
        begun = time.monotonic()
        crowd = workload.Crowd(self._world, workload.prepare(self._world), self.report.seed, self._number)
        probes = [Probe(self._world, method) for method in ("GET", "POST")]
        for probe in probes:
            probe.start()
        try:
            is_well = self._warm_up(crowd)
            for fault in self._faults(names, begun + seconds, rounds) if is_well else ():
                if not self._round(fault, crowd, probes):
                    break
            self._close(crowd)
        finally:
            crowd.end()
            for probe in probes:
                probe.end()
        self.report.seconds = round(time.monotonic() - begun, 1)
        return self.report

    def _faults(self, names: tuple[str, ...], end: float, rounds: int | None) -> Iterator[Fault]:
        for fault in faults.in_turn(self._world, self._dice, names):
            done = len(self.report.rounds) + len(self.report.absent)
            if done >= rounds if rounds is not None else time.monotonic() > end:
                return
            if fault.name not in self.report.absent:
                yield fault
            elif len(self.report.absent) == len(faults.of(self._world, names)):
                return

    # -- one round --------------------------------------------------------------------------------

    def _warm_up(self, crowd: workload.Crowd) -> bool:
        """Pools and caches fill before the gauges are read the first time; False when something is wrong already."""
        crowd.go_on()
        time.sleep(6 * self._dice.patience)
        crowd.rest_now(TIMEOUT_S)
        verdict = self._books.settle(LIMIT_S)
        self.report.wrong += verdict.wrong
        self.report.before = gauges.read(self._world)
        return not verdict.wrong

    def _round(self, fault: Fault, crowd: workload.Crowd, probes: list[Probe]) -> bool:
        """False when what is broken stays broken: the rest of the run would only say so again."""
        crowd.go_on()
        time.sleep(self._dice.within(*BEFORE_S) * self._dice.patience)
        promises = len(self._world.ledger.promises)
        begin = time.monotonic()
        try:
            chosen = fault.strike(self._world, self._dice)
        except NotHere as error:
            self.report.absent[fault.name] = str(error)
            return True
        end = time.monotonic()
        time.sleep(self._dice.within(*AFTER_S) * self._dice.patience)
        crowd.rest_now(TIMEOUT_S)
        verdict = self._books.settle(LIMIT_S)
        mended = time.monotonic()
        get, post = (probe.downtime(begin, mended) for probe in probes)
        with self._world.ledger.lock:
            wrong = (*verdict.wrong, *self._world.ledger.wrong, *crowd.errors())
            self._world.ledger.wrong.clear()
            promises = len(self._world.ledger.promises) - promises
        one = Round(
            fault.name, chosen, round(end - begin, 1), round(mended - end, 1), get, post, promises, wrong
        )  # fmt: skip
        self.report.rounds.append(one)
        self._say(
            f"{len(self.report.rounds):3} {fault.name:20} {chosen:32} lasted {one.lasted_s:5.1f} s, mended in "
            f"{one.mended_s:5.1f} s, down GET {get:.1f} POST {post:.1f} s, {promises} accepted"
            + "".join(f"\n    WRONG {each}" for each in wrong)
        )
        return not verdict.wrong and not crowd.errors()

    def _deep(self) -> dict[str, int]:
        """Messages that wait, by queue."""
        return {name: number for name, number in self._world.queue_depths().items() if number}

    def _close(self, crowd: workload.Crowd) -> None:
        crowd.rest_now(TIMEOUT_S)
        self.report.after = gauges.read(self._world)
        self.report.wrong += gauges.grown(self.report.before, self.report.after)
        # The broker counts some seconds behind, and a sweep may be waking somebody at any moment.
        end = time.monotonic() + QUEUES_S
        while (deep := self._deep()) and time.monotonic() < end:
            time.sleep(1)
        if deep:
            self.report.wrong.append(f"I11: messages wait in queues: {deep}")
        self.report.statuses = dict(sorted(self._world.ledger.statuses.items()))
        self.report.promises = len(self._world.ledger.promises)
        self.report.actions = dict(Counter(each.action for each in self._world.ledger.promises).most_common())
        self.report.outcomes = self._books.outcomes()
