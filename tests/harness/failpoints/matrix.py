"""The failpoint matrix: every operation, at every moment it passes, broken in every way; then the oracle judges.

    python -m tests.harness.failpoints.matrix [--operation NAME] [--kind KIND] [--every N] [--json FILE]

A first run of an operation records the moments it passes; each further run breaks it at one of them.
"""

from __future__ import annotations

import argparse
import collections
import contextlib
import json
import pathlib
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from tests.harness.cloud import CONF, Cloud
from tests.harness.failpoints.breaker import Breaker, Killed, Kind, Moment, Watched
from tests.harness.failpoints.scenarios import SCENARIOS, Scenario

LEASE_S = 1.5
OPTIONS: dict[str, dict[str, Any]] = {
    "operations": {
        "heartbeat_interval_s": 0.2, "sweep_interval_s": 0.2, "lease_s": LEASE_S, "service_down_s": 1.2,
        "power_sync_interval_s": 1.0,
    },
}  # fmt: skip
SETTLE_S = 25.0
HOSTS = 3


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


class Matrix:
    """Runs cells, one after the other, in one cloud."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._breaker = Breaker(cloud, LEASE_S + 1.0)
        # A caller whose answer died with a process would wait a minute.
        CONF.set_override("rpc_response_timeout", 2)

    def close(self) -> None:
        self._breaker.close()
        CONF.clear_override("rpc_response_timeout")

    def moments(self, scenario: Scenario) -> list[Moment]:
        """What the operation passes when nothing goes wrong."""
        subject = scenario.prepare(self._cloud)
        self._settle()
        self._breaker.begin()
        answer = scenario.act(self._cloud, subject)
        assert answer.status < 300, f"{scenario.name}: {answer.body}"
        complaints = self._settle()
        assert not complaints, f"{scenario.name} without any fault: {complaints}"
        found = list(self._breaker.passed)
        self._breaker.rest()
        scenario.clean(self._cloud, subject)
        self._settle()
        return found

    def run(self, scenario: Scenario, cell: Cell) -> Result:
        begun = time.monotonic()
        subject = scenario.prepare(self._cloud)
        before = self._settle()
        assert not before, f"{scenario.name}: the cloud was not quiet: {before}"
        self._breaker.begin((cell.moment, cell.kind))
        with contextlib.suppress(Killed):
            scenario.act(self._cloud, subject)
        complaints = self._settle()
        struck = self._breaker.struck is not None
        self._breaker.rest()
        complaints = complaints and self._settle(5.0)
        result = Result(cell, struck, time.monotonic() - begun, complaints)
        scenario.clean(self._cloud, subject)
        self._settle()
        return result

    def _settle(self, timeout_s: float = SETTLE_S) -> list[str]:
        """Wait until the oracle has nothing to say for two looks; what it says when it never stops."""
        end = time.monotonic() + timeout_s
        quiet = 0
        complaints: list[str] = []
        while time.monotonic() < end:
            complaints = self._look()
            quiet = 0 if complaints else quiet + 1
            if quiet == 2:
                return []
            time.sleep(0.1)
        return complaints

    def _look(self) -> list[str]:
        if len(self._cloud.services) < HOSTS + 2:
            return ["a service is being started again"]
        return self._cloud.violations()


def cells(scenario: Scenario, moments: Iterable[Moment], kinds: Iterable[Kind]) -> Iterator[Cell]:
    """Every cell of an operation; a moment that only some runs pass is in it as well."""
    for moment in dict.fromkeys(moments):
        for kind in kinds:
            # Whoever holds the only write lock of SQLite for seconds stops everybody, which says nothing of us.
            if not (kind is Kind.HANG and moment.point == "db.before_commit"):
                yield Cell(scenario.name, moment, kind)


def cloud(directory: pathlib.Path) -> Cloud:
    """A cloud whose drivers are watched."""
    made = Cloud(directory, hosts=HOSTS, options=OPTIONS)
    made.watch = Watched
    return made


def table(results: Iterable[Result]) -> str:
    """Cells run by operation and kind: ``run (violations)``."""
    counts: dict[str, collections.Counter[str]] = collections.defaultdict(collections.Counter)
    for result in results:
        counts[result.cell.operation][result.cell.kind] += 1
        counts[result.cell.operation]["missed"] += not result.struck
        counts[result.cell.operation][f"{result.cell.kind} bad"] += bool(result.complaints)
    lines = ["| operation | " + " | ".join(Kind) + " | not reached |", "| --- |" + " --: |" * (len(Kind) + 1)]
    for operation, count in counts.items():
        each = [f"{count[kind]}" + (f" ({count[f'{kind} bad']} bad)" if count[f"{kind} bad"] else "") for kind in Kind]
        lines.append(f"| {operation} | " + " | ".join(each) + f" | {count['missed']} |")
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--operation", action="append", choices=[each.name for each in SCENARIOS])
    parser.add_argument("--kind", action="append", choices=list(Kind))
    parser.add_argument("--every", type=int, default=1, metavar="N", help="run only every Nth cell")
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE")
    options = parser.parse_args()
    results: list[Result] = []
    with tempfile.TemporaryDirectory() as directory, cloud(pathlib.Path(directory)) as running:
        matrix = Matrix(running)
        for scenario in SCENARIOS:
            if options.operation and scenario.name not in options.operation:
                continue
            todo = list(cells(scenario, matrix.moments(scenario), options.kind or Kind))[:: options.every]
            print(f"{scenario.name}: {len(todo)} cells", flush=True)
            for cell in todo:
                result = matrix.run(scenario, cell)
                results.append(result)
                if result.complaints:
                    print(f"  BAD {cell.kind} at {cell.moment}: {result.complaints}", flush=True)
        matrix.close()
    print(table(results))
    if options.json:
        options.json.write_text(json.dumps([
            {"operation": each.cell.operation, "moment": str(each.cell.moment), "kind": each.cell.kind,
             "struck": each.struck, "seconds": round(each.seconds, 2), "complaints": each.complaints}
            for each in results
        ], indent=1))  # fmt: skip
    return 1 if any(each.complaints for each in results) else 0


if __name__ == "__main__":
    sys.exit(main())
