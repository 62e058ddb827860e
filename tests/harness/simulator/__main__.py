"""The command line of the simulator: see the package."""

from __future__ import annotations

import argparse
import hashlib
import itertools
import json
import logging
import os
import sys
import time
from collections import Counter
from collections.abc import Iterable
from typing import TextIO

from tests.harness.simulator.regressions import REGRESSIONS
from tests.harness.simulator.runner import Runner
from tests.harness.simulator.trial import Result

TAIL = 60


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.harness.simulator", description=__doc__)
    parser.add_argument("--seeds", type=int, default=100, metavar="N", help="how many seeds")
    parser.add_argument("--from", type=int, default=1, dest="first", metavar="N", help="the first of them")
    parser.add_argument("--seed", type=int, metavar="N", help="this one only")
    parser.add_argument("--regressions", action="store_true", help="before them those that failed once")
    parser.add_argument("--seconds", type=float, metavar="N", help="begin no seed after so many")
    parser.add_argument("--jobs", type=int, default=1, metavar="N", help="processes at a time")
    parser.add_argument("--trace", action="store_true", help="print every step, and the logs")
    parser.add_argument("--tail", type=int, default=TAIL, metavar="N", help="lines of a failing seed's trace")
    parser.add_argument("--json", action="store_true", help="print the sum as JSON")
    options = parser.parse_args()
    seeds = [options.seed] if options.seed is not None else range(options.first, options.first + options.seeds)
    if options.regressions:
        seeds = [*(each.seed for each in REGRESSIONS), *seeds]
    level = logging.CRITICAL
    if options.trace:
        level = logging.INFO
        logging.basicConfig(level=level, stream=sys.stdout, format="                 %(name)s: %(message)s")
    begun = time.monotonic()
    results: list[Result] = []
    with Runner(level) as runner:
        timely = itertools.takewhile(lambda _: not options.seconds or time.monotonic() - begun < options.seconds, seeds)
        for result in runner.run(timely, options.jobs, print if options.trace else None):
            results.append(result)
            if result.violations:
                _show(result, 0 if options.trace else options.tail, sys.stderr if options.json else sys.stdout)
    _sum(results, time.monotonic() - begun, options.json)
    return 1 if any(result.violations for result in results) else 0


def _show(result: Result, tail: int, out: TextIO) -> None:
    print(f"SEED {result.seed} VIOLATES, trace {result.fingerprint}:", file=out)
    for line in [*result.trace[len(result.trace) - tail :], *result.violations]:
        print(f"  {line}", file=out, flush=True)


def _sum(results: list[Result], seconds: float, as_json: bool) -> None:
    bad = sorted(result.seed for result in results if result.violations)
    settled = sorted(result.settled_s for result in results if not result.violations)
    found = {
        "seeds": len(results),
        "violating": bad,
        "seconds": round(seconds, 1),
        "trace": _trace(results),
        "seeds_per_second": round(len(results) / seconds, 2),
        "processor_seconds": round(sum(result.seconds for result in results), 1),
        "simulated_hours": round(sum(result.simulated_s for result in results) / 3600, 1),
        "steps": sum(result.steps for result in results),
        "messages": sum(result.messages for result in results),
        "settled_s_median": round(settled[len(settled) // 2], 1) if settled else None,
        "settled_s_worst": round(settled[-1], 1) if settled else None,
        "accepted": sum(result.accepted for result in results),
        "asked": _total(result.asked for result in results),
        "refused": _total(result.refused for result in results),
        "faults": _total(result.faults for result in results),
    }
    if as_json:
        print(json.dumps(found, indent=1))
        return
    for name, value in found.items():
        print(f"{name}: {value}")


def _trace(results: list[Result]) -> str:
    """What two runs of the same seeds have in common."""
    whole = hashlib.blake2b(digest_size=8)
    for result in sorted(results, key=lambda each: each.seed):
        whole.update(result.fingerprint.encode())
    return whole.hexdigest()


def _total(counts: Iterable[dict[str, int]]) -> dict[str, int]:
    total: Counter[str] = Counter()
    for each in counts:
        total.update(each)
    return dict(total.most_common())


if __name__ == "__main__":
    if os.environ.get("PYTHONHASHSEED") != "0":
        # The order of sets is part of what a seed decides.
        os.environ["PYTHONHASHSEED"] = "0"
        os.execv(sys.executable, [sys.executable, "-m", "tests.harness.simulator", *sys.argv[1:]])
    sys.exit(main())
