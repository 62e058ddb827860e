#!/usr/bin/env python3
"""Load on the reading calls of any Nova: answers a second, p50 and p99 at concurrency 1 and 16.

Any endpoint and token will do, nova-lite's or Nova's, as long as it is on this machine:

    benchmarks/api_load.py --endpoint http://127.0.0.1:8774/v2.1 --token "$(openstack token issue -f value -c id)"
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from bench import floors, load, report
from bench.client import Connection, Target
from bench.report import Figure


def paths(target: Target) -> list[tuple[str, str]]:
    """(figure's name, path) of each call; the number of servers is part of a list's name."""
    connection = Connection(target)
    servers = connection.expect(200, "GET", "/servers?limit=1000").body["servers"]
    connection.close()
    number = str(len(servers)) if servers else "none"
    found = [
        ("GET /v2.1/ (discovery)", "/"),
        (f"GET /servers, {number}", "/servers"),
        (f"GET /servers/detail, {number}", "/servers/detail"),
        ("GET /flavors/detail", "/flavors/detail"),
    ]
    if servers:
        found.insert(3, ("GET /servers/{id}", f"/servers/{servers[0]['id']}"))
    return found


def measure(
    target: Target,
    seconds: float,
    concurrencies: Sequence[int] = (1, 16),
    client: str = "auto",
    only: str = "",
    pid: int | None = None,
) -> list[Figure]:
    """Rate, p50, p99 and processor time of each call at each concurrency; the floor is a bare WSGI answer.

    ``only``: calls whose name contains it. ``pid``: the server's process; processor time is measured only with it.
    """
    figures: list[Figure] = []
    with floors.bare_wsgi() as (bare, bare_pid):
        for concurrency in concurrencies:
            floor = load.measure(bare, "/", concurrency, min(seconds, 2), client, bare_pid)
            if not only:
                figures += _figures("bare WSGI answer", concurrency, floor, None)
            for name, path in paths(target):
                if only in name:
                    report.progress(f"{name} at {concurrency} for {seconds:g} s")
                    seen = load.measure(target, path, concurrency, seconds, client, pid)
                    figures += _figures(name, concurrency, seen, floor)
    return figures


def _figures(name: str, concurrency: int, seen: load.Load, floor: load.Load | None) -> list[Figure]:
    detail = {"requests": seen.requests, "errors": seen.errors, "client": seen.client}
    figures = [
        Figure(f"{name} req/s at {concurrency}", seen.rate, "1/s", floor.rate if floor else None, detail),
        Figure(f"{name} p50 ms at {concurrency}", seen.p50_ms, "ms", floor.p50_ms if floor else None),
        Figure(f"{name} p99 ms at {concurrency}", seen.p99_ms, "ms", floor.p99_ms if floor else None),
    ]
    if seen.cpu_ms is not None:
        figures.append(Figure(f"{name} CPU ms at {concurrency}", seen.cpu_ms, "ms", floor.cpu_ms if floor else None))
    return figures


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--endpoint", required=True, help="compute endpoint with its version, on a loopback address")
    parser.add_argument("--token", required=True, help="a token of a project")
    parser.add_argument("--microversion", default="2.96", help="OpenStack-API-Version to ask for (default %(default)s)")
    parser.add_argument("--seconds", type=float, default=5.0, help="seconds for each measurement (default %(default)s)")
    parser.add_argument("--concurrency", type=int, nargs="+", default=[1, 16], help="connections (default 1 16)")
    parser.add_argument("--client", choices=["auto", "wrk", "python"], default="auto", help="auto: wrk if installed")
    parser.add_argument("--only", default="", help="only calls whose name contains this")
    parser.add_argument("--pid", type=int, help="the server's process, to count its processor time for each answer")
    parser.add_argument("--json", metavar="FILE", help="write the figures there as JSON, too; - is stdout")
    options = parser.parse_args()
    target = Target(options.endpoint, options.token, options.microversion)
    chosen = (options.concurrency, options.client, options.only, options.pid)
    report.show(measure(target, options.seconds, *chosen), options.json)
    return 0


if __name__ == "__main__":
    sys.exit(report.explained(main))
