#!/usr/bin/env python3
"""How long servers live through: POST to ACTIVE one at a time and in a burst, DELETE to 404.

Any endpoint and token will do, nova-lite's or Nova's, as long as it is on this machine. Servers have no network; all
that are made are deleted again:

    benchmarks/boot_latency.py --endpoint http://127.0.0.1:8774/v2.1 --token T --image ID --flavor ID
"""

from __future__ import annotations

import argparse
import statistics
import sys
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from bench import report
from bench.client import Connection, Target
from bench.report import Figure

LIMIT_S = 300.0
POLL_ONE_S = 0.003
POLL_MANY_S = 0.05
CLIENTS = 16


class Failed(RuntimeError):
    """Servers ended in ERROR or did not arrive in time."""


@dataclass(frozen=True)
class Life:
    """Makes and removes servers of one name prefix."""

    target: Target
    image: str
    flavor: str
    prefix: str = field(default_factory=lambda: f"bench-{uuid.uuid4().hex[:8]}")

    def body(self, name: str, **more: object) -> dict[str, object]:
        server = {"name": f"{self.prefix}-{name}", "imageRef": self.image, "flavorRef": self.flavor, "networks": "none"}
        return {"server": {**server, **more}}

    def statuses(self, connection: Connection) -> Counter[str]:
        """How many servers of ours are in which status."""
        found: Counter[str] = Counter()
        path = f"/servers/detail?name={self.prefix}&limit=1000"
        while path:
            page = connection.expect(200, "GET", path).body
            found.update(server["status"] for server in page["servers"])
            more = [link["href"] for link in page.get("servers_links", ()) if link["rel"] == "next"]
            path = more[0][more[0].index("/servers/detail") :] if more else ""
        return found

    def ids(self, connection: Connection) -> list[str]:
        """Ours, at most a page of them."""
        page = connection.expect(200, "GET", f"/servers?name={self.prefix}&limit=1000").body
        return [str(server["id"]) for server in page["servers"]]


def one_at_a_time(life: Life, count: int) -> list[Figure]:
    """Medians over ``count`` servers, each made and gone before the next; the first one is not counted."""
    connection = Connection(life.target)
    samples = [_one(life, connection, str(number)) for number in range(count + 1)][1:]
    connection.close()
    accepted, active, deleted = (statistics.median(column) for column in zip(*samples, strict=True))
    return [
        Figure("POST accepted s", accepted, "s", detail={"servers": count}),
        Figure("POST to ACTIVE s", active, "s", detail={"max": max(sample[1] for sample in samples)}),
        Figure("DELETE to 404 s", deleted, "s", detail={"max": max(sample[2] for sample in samples)}),
    ]


def _one(life: Life, connection: Connection, name: str) -> tuple[float, float, float]:
    begin = time.perf_counter()
    server = connection.expect(202, "POST", "/servers", life.body(name)).body["server"]["id"]
    accepted = time.perf_counter() - begin
    active = _until(lambda: _status(connection, server) == "ACTIVE", begin, POLL_ONE_S)
    begin = time.perf_counter()
    connection.expect(204, "DELETE", f"/servers/{server}")
    return accepted, active, _until(lambda: _status(connection, server) == "404", begin, POLL_ONE_S)


def _status(connection: Connection, server: str) -> str:
    answer = connection.call("GET", f"/servers/{server}")
    if answer.status == 404:
        return "404"
    status = str(answer.body["server"]["status"])
    if status == "ERROR":
        raise Failed(f"server {server}: {answer.body['server'].get('fault')}")
    return status


def _until(reached: Callable[[], bool], begin: float, poll_s: float) -> float:
    """Seconds since ``begin`` when it was reached. :raises Failed: not within LIMIT_S."""
    while not reached():
        if time.perf_counter() - begin > LIMIT_S:
            raise Failed(f"not reached within {LIMIT_S:g} s")
        time.sleep(poll_s)
    return time.perf_counter() - begin


def burst(life: Life, count: int) -> list[Figure]:
    """``count`` POSTs by 16 clients at once, then as many DELETEs."""
    name = f"{count} POSTs at once"
    begin = time.perf_counter()
    _in_parallel(life, [("POST", "/servers", life.body(f"burst-{number}"), 202) for number in range(count)])
    accepted = time.perf_counter() - begin
    active = _all_active(life, count, begin)
    figures = [Figure(f"{name}: all accepted s", accepted, "s"), Figure(f"{name}: all ACTIVE s", active, "s")]
    return [*figures, Figure(f"{count} at once: all deleted s", delete_all(life), "s")]


def one_request(life: Life, count: int) -> list[Figure]:
    """One POST with min_count, then as many DELETEs."""
    begin = time.perf_counter()
    make_many(life, count)
    active = time.perf_counter() - begin
    return [
        Figure(f"min_count={count}: all ACTIVE s", active, "s"),
        Figure(f"min_count={count}: all deleted s", delete_all(life), "s"),
    ]


def make_many(life: Life, count: int, at_once: int = 50) -> None:
    """``count`` more servers of ours, ACTIVE at return."""
    connection = Connection(life.target)
    there = sum(life.statuses(connection).values())
    while count > 0:
        number = min(at_once, count)
        body = life.body("many", min_count=number, max_count=number)
        connection.expect(202, "POST", "/servers", body)
        there, count = there + number, count - number
        _all_active(life, there, time.perf_counter())
    connection.close()


def _all_active(life: Life, count: int, begin: float) -> float:
    connection = Connection(life.target)

    def reached() -> bool:
        found = life.statuses(connection)
        if found["ERROR"]:
            raise Failed(f"{found['ERROR']} of {count} servers are in ERROR")
        return found["ACTIVE"] == count

    try:
        return _until(reached, begin, POLL_MANY_S)
    finally:
        connection.close()


def delete_all(life: Life) -> float:
    """Seconds until none of our servers is left."""
    begin = time.perf_counter()
    connection = Connection(life.target)
    asked: set[str] = set()

    def gone() -> bool:
        # New ones may appear while we look: more than a page, or late answers to a burst that was broken off.
        ids = life.ids(connection)
        new = [server for server in ids if server not in asked]
        _in_parallel(life, [("DELETE", f"/servers/{server}", None, 204) for server in new], also=404)
        asked.update(new)
        return not ids

    try:
        return _until(gone, begin, POLL_MANY_S)
    finally:
        connection.close()


def _in_parallel(life: Life, calls: Sequence[tuple[str, str, object, int]], also: int = 0) -> None:
    """:raises Failed: an answer had another status than expected, or than ``also``."""
    left, wrong = list(reversed(calls)), []

    def run() -> None:
        connection = Connection(life.target)
        while True:
            try:
                method, path, body, status = left.pop()
            except IndexError:
                break
            try:
                answer = connection.call(method, path, body)
                if answer.status not in (status, also):
                    wrong.append(f"{answer.status} {answer.data[:300]!r}")
            except OSError as error:
                wrong.append(repr(error))
        connection.close()

    workers = [threading.Thread(target=run, daemon=True) for _ in range(CLIENTS)]
    try:
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join(timeout=LIMIT_S)
    except BaseException:
        left.clear()  # broken off: nobody begins another call
        raise
    if wrong or left:
        raise Failed(f"{len(wrong)} of {len(calls)} calls went wrong, {len(left)} were not made; first: {wrong[:1]}")


def measure(life: Life, count: int, bursts: Sequence[int], at_once: Sequence[int]) -> list[Figure]:
    """All of it; whatever happens, no server of ours stays."""
    figures: list[Figure] = []
    try:
        report.progress(f"{count} servers, one at a time")
        figures += one_at_a_time(life, count)
        for number in bursts:
            report.progress(f"{number} POSTs at once")
            figures += burst(life, number)
        for number in at_once:
            report.progress(f"one POST of {number} servers")
            figures += one_request(life, number)
    finally:
        delete_all(life)
    return figures


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--endpoint", required=True, help="compute endpoint with its version, on a loopback address")
    parser.add_argument("--token", required=True, help="a token of a project with enough quota")
    parser.add_argument("--image", required=True, help="id of an image")
    parser.add_argument("--flavor", required=True, help="id of a flavor")
    parser.add_argument("--count", type=int, default=20, help="servers one at a time (default %(default)s)")
    parser.add_argument("--burst", type=int, nargs="*", default=[100], help="sizes of bursts (default 100)")
    parser.add_argument("--min-count", type=int, nargs="*", default=[50], help="servers of one POST (default 50)")
    parser.add_argument("--json", metavar="FILE", help="write the figures there as JSON, too; - is stdout")
    options = parser.parse_args()
    life = Life(Target(options.endpoint, options.token), options.image, options.flavor)
    report.show(measure(life, options.count, options.burst, options.min_count), options.json)
    return 0


if __name__ == "__main__":
    sys.exit(report.explained(main))
