"""One seed: a storm, then peace, then everything that was ever said is said again."""

from __future__ import annotations

import random
import re
import time
import uuid
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from nova_lite import clock, failpoints
from nova_lite.db import clock as db_clock
from tests.harness.simulator import faults, invariants, primitives
from tests.harness.simulator.bus import Bus
from tests.harness.simulator.fleet import Fleet, options_of, seeded_ids
from tests.harness.simulator.kernel import Kernel
from tests.harness.simulator.workload import Workload

# Seconds of the simulated world: a storm, what may pass until all is well, and how often that is looked at.
STORM_S, PEACE_S, LOOK_S = 90.0, 900.0, 10.0
AFTERMATH_S = 60.0
# What every daemon says all the time.
_CHATTER = re.compile(r" db\.|heartbeat|\bping\b|report_|judge_guests|host_instances|survey")
# What an operator's reset may make of a server, and nothing else.
_UNTRUE = ("is active and has no running guest", "runs from a wrong disk", "has a guest nowhere")


@dataclass
class Result:
    """What one seed showed. ``fingerprint`` is of the whole trace: two runs of a seed have the same. ``seconds`` are
    of the processor."""

    seed: int
    violations: list[str] = field(default_factory=list)
    fingerprint: str = ""
    steps: int = 0
    simulated_s: float = 0.0
    settled_s: float = 0.0
    seconds: float = 0.0
    messages: int = 0
    asked: dict[str, int] = field(default_factory=dict)
    refused: dict[str, int] = field(default_factory=dict)
    faults: dict[str, int] = field(default_factory=dict)
    accepted: int = 0
    trace: list[str] = field(default_factory=list)


class Trial:
    """``begin``, then ``run``; a process runs one."""

    def __init__(self, fleet: Fleet, database: bytes, seed: int, on_line: Callable[[str], None] | None = None) -> None:
        self._seed = seed
        self._kernel = kernel = Kernel(seed)
        kernel.on_line = on_line
        primitives.use(kernel)
        clock.use(kernel)
        # The database has a machine of its own, whose clock jumps, but is nobody else's.
        db_clock._machine = kernel.database_time
        uuid.uuid4 = seeded_ids(seed)
        random.seed(seed)
        self._bus = Bus(kernel)
        self._fleet = fleet
        self._watch = invariants.Watch(fleet)
        self._faults = faults.Faults(kernel, fleet, faults.choose(kernel.random), self._watch)
        failpoints.arm(self._faults.hit)
        # Half of all sites let a server stay where it is, as a site of one host must.
        options_of({"DEFAULT": {"allow_resize_to_same_host": (same_host := random.Random(seed).random() < 0.5)}})
        kernel.note(f"seed {seed}: {self._faults.profile}, {same_host=}")
        fleet.begin(kernel, self._bus, database, self._faults.hit)

    def run(self) -> Result:
        result = Result(self._seed)
        begun = time.process_time()
        try:
            self._live(result)
        except Exception as error:
            # The simulator's own end is never silence.
            result.violations.append(f"the trial itself failed: {type(error).__name__}: {error}")
        result.violations += self._watch.found + self._kernel.crashed
        result.fingerprint = self._kernel.fingerprint()
        result.steps, result.simulated_s = self._kernel.steps, self._kernel.now
        result.messages = len(self._bus.log)
        result.faults = dict(self._faults.counts + Counter(self._bus.counts))
        result.seconds = time.process_time() - begun
        if result.violations:
            result.trace = [line for line in self._kernel.trace if not _CHATTER.search(line)]
        return result

    def _live(self, result: Result) -> None:
        kernel, random = self._kernel, self._kernel.random
        assert kernel.run(60.0, self._fleet.is_whole), "the fleet never came up"
        work = Workload(kernel, self._fleet)
        work.prepare(random.randint(1, 5))
        assert kernel.run(60.0, lambda: not work.clients and not invariants.is_busy()), "nothing can be prepared"
        work.start(random.randint(1, 4), random.randint(3, 8), random.choice((1.0, 5.0, 15.0)))
        kernel.spawn(lambda: self._faults.storm(STORM_S), "storm", life=faults._NATURE)
        kernel.run(STORM_S + 1.0)
        ceased = kernel.now
        complaints = self._settle(work)
        result.settled_s = kernel.now - ceased
        result.asked, result.refused = dict(work.ledger.asked), dict(work.ledger.refused)
        result.accepted = work.ledger.accepted
        if complaints:
            result.violations += complaints
            return
        result.violations += invariants.unpaid(work.ledger)
        result.violations += self._say_it_all_again(work)

    def _settle(self, work: Workload) -> list[str]:
        """Let it run until the oracle has nothing to say, twice; what it says when it never stops."""
        kernel, quiet, complaints = self._kernel, 0, ["it never became quiet"]
        end = kernel.now + PEACE_S
        while kernel.now < end:
            kernel.run(LOOK_S)
            complaints = self._look(work)
            quiet = 0 if complaints else quiet + 1
            if quiet == 2:
                return []
        return complaints

    def _look(self, work: Workload) -> list[str]:
        if work.clients:
            return [f"{work.clients} clients still wait or ask"]
        if not (self._fleet.is_whole() and self._faults.is_over()):
            return ["a daemon is not back"]
        if invariants.is_busy() and self._kernel.now % 100 > LOOK_S:
            return ["operations are open"]
        if invariants.is_promised():
            return ["a promise to a request is neither kept nor taken back"]
        found = [*self._fleet.violations(), *invariants.replaced(self._fleet)]
        return [each for each in found if not self._is_legal(each, work)]

    def _is_legal(self, complaint: str, work: Workload) -> bool:
        """When the database's clock was set back, its history says so; what an operator declared need not be true."""
        if "in disorder" in complaint:
            return bool(self._faults.counts["clock jumps"])
        untrue = any(words in complaint for words in _UNTRUE)
        return untrue and any(uuid in complaint for uuid in work.ledger.declared)

    def _say_it_all_again(self, work: Workload) -> list[str]:
        """I12: the complete log of messages, in any order, changes nothing."""
        # Hosts say what they see every minute: all have said it.
        self._kernel.run(AFTERMATH_S)
        before = invariants.facts(self._fleet)
        again = list(self._bus.log)
        self._kernel.random.shuffle(again)
        self._kernel.note(f"says {len(again)} messages again")
        self._bus.replay(again)
        complaints = self._settle(work)
        self._kernel.run(AFTERMATH_S)
        return complaints + list(invariants.differences(before, invariants.facts(self._fleet)))
