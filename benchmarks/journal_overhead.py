#!/usr/bin/env python3
"""What durability costs: the same servers with the journal, and with one that forgets (bench/forgetful.py).

Both clouds run in turn, several times, on one machine in one run; what counts is the ratio of the medians:

    benchmarks/journal_overhead.py --rounds 3
"""

from __future__ import annotations

import argparse
import statistics
import sys
from collections import defaultdict

import boot_latency
import startup
from bench import cloud, report
from bench.report import Figure

PROGRAMS = {"journal": cloud.PRODUCT, "no journal": cloud.FORGETFUL}


def measure(rounds: int, count: int, burst: int, backend: str = "eventlet") -> list[Figure]:
    """Medians over ``rounds`` clouds of each kind, and with over without: 1 is free, 1.1 a tenth more."""
    seen: dict[str, dict[str, list[float]]] = {kind: defaultdict(list) for kind in PROGRAMS}
    for number in range(rounds):
        for kind, program in PROGRAMS.items():
            report.progress(f"servers with {kind}, {number + 1} of {rounds}")
            for name, value in _once(program, count, burst, backend).items():
                seen[kind][name].append(value)
    figures = []
    for name, values in seen["journal"].items():
        given, bare = statistics.median(values), statistics.median(seen["no journal"][name])
        unit = "/s" if name.endswith("/s") else "s"
        figures.append(Figure(f"journal: {name}", given, unit, detail={"all": values}))
        figures.append(Figure(f"no journal: {name}", bare, unit, detail={"all": seen["no journal"][name]}))
        figures.append(Figure(f"journal over none: {name}", given / bare, "ratio"))
    return figures


def _once(program: str, count: int, burst: int, backend: str) -> dict[str, float]:
    with cloud.running(backend, program) as running:
        startup.watch(running)
        life = boot_latency.Life(running.target(), running.upload_image(running.token()), running.make_flavor())
        taken = {figure.name: figure.value for figure in boot_latency.measure(life, count, [burst], [])}
    taken["POST /servers accepted/s"] = burst / taken.pop(f"{burst} POSTs at once: all accepted s")
    return taken


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3, help="clouds of each kind (default %(default)s)")
    parser.add_argument("--count", type=int, default=20, help="servers one at a time (default %(default)s)")
    parser.add_argument("--burst", type=int, default=100, help="servers at once (default %(default)s)")
    parser.add_argument("--json", metavar="FILE", help="write the figures there as JSON, too; - is stdout")
    options = parser.parse_args()
    report.show(measure(options.rounds, options.count, options.burst), options.json)
    return 0


if __name__ == "__main__":
    sys.exit(report.explained(main))
