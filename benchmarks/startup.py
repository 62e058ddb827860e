#!/usr/bin/env python3
"""How long nova-lite-all-in-one takes from its start to its first answers, to its end, and what memory it holds.

    benchmarks/startup.py --runs 3
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from dataclasses import dataclass

from bench import cloud, floors, memory, report
from bench.client import Connection, Target
from bench.report import Figure

SETTLE_S = 3.0


@dataclass(frozen=True)
class Start:
    """Seconds from the start of the process. ``compute_s`` is when its first server could be built."""

    first_get_s: float
    compute_s: float


def watch(running: cloud.Cloud) -> Start:
    """Wait for a cloud that was just started."""
    running.wait_for(running.token, "a token")
    target = running.target()
    first_get_s = running.wait_for(lambda: _answers(target), "200 for GET /servers")
    admin = Target(running.endpoint, running.token("nova-lite-admin"))
    compute_s = running.wait_for(lambda: _compute_is_up(admin), "a compute service that is up")
    return Start(first_get_s, compute_s)


def _answers(target: Target) -> bool:
    connection = Connection(target)
    try:
        return connection.call("GET", "/servers").status == 200
    finally:
        connection.close()


def _compute_is_up(admin: Target) -> bool:
    """A host of the default zone is what the availability zones and the services list show once it has registered."""
    connection = Connection(admin)
    try:
        answer = connection.call("GET", "/os-services")
        return answer.status == 200 and any(
            service["binary"].endswith("compute") and service["state"] == "up" for service in answer.body["services"]
        )
    finally:
        connection.close()


def measure(runs: int, backend: str = "eventlet") -> list[Figure]:
    """Medians over so many starts; the floor is what the interpreter needs to import what every daemon imports."""
    floor = floors.interpreter_start()
    starts: list[Start] = []
    ends: list[float] = []
    held: list[memory.Memory] = []
    for number in range(runs):
        report.progress(f"start {number + 1} of {runs}")
        with cloud.running(backend) as running:
            starts.append(watch(running))
            time.sleep(SETTLE_S)
            held.append(memory.of_family(running.process.pid))
            ends.append(running.stop())
    return [
        floor,
        Figure("start to first GET /servers s", statistics.median(s.first_get_s for s in starts), "s", floor.value),
        Figure("start to compute up s", statistics.median(s.compute_s for s in starts), "s", floor.value),
        Figure("idle stop s", statistics.median(ends), "s"),
        *memory_figures("idle", held[-1]),
    ]


def memory_figures(when: str, held: memory.Memory) -> list[Figure]:
    detail = {"processes": held.processes}
    return [
        Figure(f"memory {when} PSS MiB", held.pss_mib, "MiB", detail=detail),
        Figure(f"memory {when} RSS MiB", held.rss_mib, "MiB", detail=detail),
    ]


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--runs", type=int, default=3, help="starts, of which the median counts (default %(default)s)")
    parser.add_argument("--backend", choices=["eventlet", "threading"], default="eventlet", help="concurrency backend")
    parser.add_argument("--json", metavar="FILE", help="write the figures there as JSON, too; - is stdout")
    options = parser.parse_args()
    report.show(measure(options.runs, options.backend), options.json)
    return 0


if __name__ == "__main__":
    sys.exit(report.explained(main))
