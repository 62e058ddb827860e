#!/usr/bin/env python3
"""All benchmarks on a cloud of their own: nova-lite-all-in-one, fake driver, free ports, a directory that is removed.

    benchmarks/run.py --all --json figures.json
    benchmarks/run.py scheduler startup
"""

from __future__ import annotations

import argparse
import signal
import sys
import time
from collections.abc import Callable, Sequence
from types import FrameType

import api_load
import boot_latency
import journal_overhead
import list_pages
import scheduler_rate
import startup
from bench import cloud, floors, memory, report
from bench.report import Figure

PARTS = ("floors", "scheduler", "lists", "startup", "api", "life", "journal")
# Lists are measured at these numbers of servers; PEER.md has figures for them.
SIZES = (0, 10, 100, 1000)


class OutOfTime(RuntimeError):
    """The whole run took longer than --limit."""


def run(parts: Sequence[str], options: argparse.Namespace) -> list[Figure]:
    """The figures of the chosen parts, in the order of PARTS."""
    figures: list[Figure] = []
    if "floors" in parts:
        figures.append(floors.sqlite_commit())
    if "scheduler" in parts:
        figures += scheduler_rate.measure((100, 1000, 10000), options.seconds)
    if "lists" in parts:
        figures += list_pages.measure(list_pages.SIZES, options.seconds / 10)
    if "startup" in parts:
        figures += startup.measure(options.runs, options.backend)
    if "api" in parts or "life" in parts:
        with cloud.running(options.backend) as running:
            startup.watch(running)
            figures += _on_cloud(running, parts, options)
    if "journal" in parts:
        figures += journal_overhead.measure(options.runs, options.count, min(100, options.servers), options.backend)
    return figures


def _on_cloud(running: cloud.Cloud, parts: Sequence[str], options: argparse.Namespace) -> list[Figure]:
    target = running.target()
    life = boot_latency.Life(target, running.upload_image(target.token), running.make_flavor())
    figures: list[Figure] = []
    if "life" in parts:
        figures += boot_latency.measure(life, options.count, [100], [50])
    if "api" in parts:
        there = 0
        for size in [size for size in SIZES if size <= options.servers]:
            report.progress(f"making servers until there are {size}")
            boot_latency.make_many(life, size - there)
            there = size
            # Only lists depend on the number of servers: the others are measured once, with one hundred.
            only = "" if size == min(100, options.servers) else f", {size or 'none'}"
            pid = running.process.pid
            figures += api_load.measure(target, options.seconds, client=options.client, only=only, pid=pid)
        report.progress(f"deleting {there} servers")
        boot_latency.delete_all(life)
    time.sleep(startup.SETTLE_S)
    return figures + startup.memory_figures("after load", memory.of_family(running.process.pid))


def _limit(seconds: int) -> None:
    """End the run after so many seconds; what it started is stopped on the way out."""

    def ring(number: int, frame: FrameType | None) -> None:
        raise OutOfTime(f"the benchmarks took longer than {seconds} s (--limit)")

    signal.signal(signal.SIGALRM, ring)
    signal.signal(signal.SIGTERM, _as_interrupt())
    signal.alarm(seconds)


def _as_interrupt() -> Callable[[int, FrameType | None], None]:
    def ring(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    return ring


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("parts", nargs="*", metavar="part", help=f"what to measure: {', '.join(PARTS)}")
    parser.add_argument("--all", action="store_true", help="measure everything")
    parser.add_argument("--seconds", type=float, default=3.0, help="seconds for each load (default %(default)s)")
    parser.add_argument("--runs", type=int, default=3, help="starts, of which the median counts (default %(default)s)")
    parser.add_argument("--count", type=int, default=20, help="servers made one at a time (default %(default)s)")
    parser.add_argument("--servers", type=int, default=1000, help="lists have at most so many (default %(default)s)")
    parser.add_argument("--backend", choices=["eventlet", "threading"], default="eventlet", help="concurrency backend")
    parser.add_argument("--client", choices=["auto", "wrk", "python"], default="auto", help="auto: wrk if installed")
    parser.add_argument("--limit", type=int, default=900, help="seconds for the whole run (default %(default)s)")
    parser.add_argument("--json", metavar="FILE", help="write the figures there as JSON, too; - is stdout")
    options = parser.parse_args()
    unknown = set(options.parts) - set(PARTS)
    if unknown or not (options.parts or options.all):
        parser.error(f"name parts out of {', '.join(PARTS)}, or --all; unknown: {', '.join(sorted(unknown)) or 'none'}")
    _limit(options.limit)
    report.show(run(PARTS if options.all else options.parts, options), options.json)
    return 0


if __name__ == "__main__":
    sys.exit(report.explained(main))
