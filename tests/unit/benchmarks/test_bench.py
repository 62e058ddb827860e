"""The benchmarks measure what they say: wrk's report, ratios, and never another machine."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from bench import floors, load, memory
from bench.client import NotLoopback, Target
from bench.peer import PEER
from bench.report import Figure, _aligned

WRK = """Running 2s test @ http://127.0.0.1:1/
  1 threads and 16 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     1.76ms  380.05us   9.81ms   93.27%
    Req/Sec     9.18k   402.25    10.03k    71.43%
  Latency Distribution
     50%    1.73ms
     75%    1.80ms
     90%  950.00us
     99%    1.20s
  19166 requests in 2.10s, 44.01MB read
  Socket errors: connect 1, read 2, write 0, timeout 3
  Non-2xx or 3xx responses: 10
Requests/sec:   9126.89
Transfer/sec:     20.96MB
"""


def test_a_cloud_gets_no_port_that_a_connection_may_get() -> None:
    first, _ = map(int, Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split())
    assert all(1024 < floors.free_port() < first for _ in range(20))


def test_the_report_of_wrk_is_read_in_one_unit() -> None:
    seen = load._parse_wrk(WRK)
    assert (seen.rate, seen.p50_ms, seen.p99_ms) == (9126.89, 1.73, 1200.0)
    assert (seen.requests, seen.errors, seen.client) == (19166, 16, "wrk")


@pytest.mark.parametrize("text, milliseconds", [("115.00us", 0.115), ("2.5ms", 2.5), ("1.5s", 1500), ("1m", 60000)])
def test_units_of_wrk(text: str, milliseconds: float) -> None:
    assert load._milliseconds(text) == pytest.approx(milliseconds)


@pytest.mark.parametrize("endpoint", ["http://192.0.2.1:8774/v2.1", "http://0.0.0.0/v2.1", "http://[2001:db8::1]/"])
def test_other_machines_are_not_loaded(endpoint: str) -> None:
    with pytest.raises(NotLoopback):
        Target(endpoint, "token")


@pytest.mark.parametrize("endpoint", ["https://127.0.0.1/v2.1", "127.0.0.1:8774", "file:///etc/passwd", "http:///v2.1"])
def test_what_is_no_plain_http_endpoint_is_refused(endpoint: str) -> None:
    with pytest.raises(ValueError, match="endpoint must be"):
        Target(endpoint, "token")


def test_an_endpoint_is_taken_apart() -> None:
    target = Target("http://127.0.0.1:8774/v2.1/", "token")
    assert (target.host, target.port, target.prefix) == ("127.0.0.1", 8774, "/v2.1")


def test_better_is_more_for_rates_and_less_for_times() -> None:
    rate = Figure("GET /servers/{id} req/s at 1", 150.0, "1/s", floor=600.0)
    time = Figure("POST to ACTIVE s", 0.059, "s", floor=0.0295)
    assert (rate.better_than_nova, rate.floor_ratio, rate.reaches_aim) == (10.0, 4.0, False)
    assert (time.better_than_nova, time.floor_ratio, time.reaches_aim) == (pytest.approx(10), pytest.approx(2), False)
    assert Figure("POST to ACTIVE s", 0.05, "s").reaches_aim


def test_a_figure_without_peer_claims_nothing() -> None:
    alone = Figure("nobody measured this", 1.0, "s")
    assert (alone.better_than_nova, alone.floor_ratio, alone.reaches_aim) == (None, None, None)


def test_rows_are_aligned() -> None:
    lines = _aligned([("a", "n"), ("long name", "12")])
    assert lines == ["a           n", "---------  --", "long name  12"]


def test_every_peer_names_a_unit() -> None:
    assert all(any(unit in name for unit in ("req/s", " ms", " s", "MiB", "decisions/s")) for name in PEER)


def test_processor_time_only_rises() -> None:
    before = memory.cpu_s(os.getpid())
    end = time.process_time() + 0.05
    while time.process_time() < end:
        pass
    assert memory.cpu_s(os.getpid()) > before > 0


def test_the_memory_of_a_family_is_that_of_its_living_members() -> None:
    own = memory.of_family(os.getpid())
    assert own.processes >= 1 and 1 < own.pss_mib <= own.rss_mib < 100_000


def test_no_two_ports_of_a_cloud_are_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = iter([22_001, 22_001, 22_002])
    monkeypatch.setattr(floors, "free_port", lambda: next(drawn))
    assert sorted(floors.free_ports(2)) == [22_001, 22_002]
