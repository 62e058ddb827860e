"""Load on one path for a bounded time: by wrk where it is installed, else by threads of our own.

wrk costs a tenth of the processor that Python threads cost: figures of the two are not to be compared.
"""

from __future__ import annotations

import dataclasses
import os
import re
import shutil
import statistics
import subprocess
import tempfile
import threading
import time
from pathlib import Path

from bench import memory
from bench.client import Connection, Target

# wrk reads the token from the environment: arguments are seen by every user of the machine.
_LUA = """
wrk.headers["X-Auth-Token"] = os.getenv("BENCH_TOKEN")
wrk.headers["OpenStack-API-Version"] = os.getenv("BENCH_VERSION")
wrk.headers["Accept"] = "application/json"
"""
_UNITS_MS = {"us": 0.001, "ms": 1.0, "s": 1000.0, "m": 60_000.0}


@dataclasses.dataclass(frozen=True)
class Load:
    """What a path bore: answers a second, milliseconds, and how many answers were not 2xx.

    ``cpu_ms`` is the server's processor time for one answer, where its process is known: the figure that noise of the
    machine changes least.
    """

    rate: float
    p50_ms: float
    p99_ms: float
    requests: int
    errors: int
    client: str
    cpu_ms: float | None = None


def measure(
    target: Target, path: str, concurrency: int, seconds: float, client: str = "auto", pid: int | None = None
) -> Load:
    """Load a path. ``client`` is wrk, python or auto; ``pid`` the server's process, if its cost is wanted.

    :raises RuntimeError: not a single good answer.
    """
    use_wrk = client == "wrk" or (client == "auto" and shutil.which("wrk") is not None)
    before = memory.cpu_s(pid) if pid else 0.0
    load = _wrk(target, path, concurrency, seconds) if use_wrk else _threads(target, path, concurrency, seconds)
    if load.requests <= load.errors:
        raise RuntimeError(f"GET {path}: none of {load.requests} answers was good")
    # What was begun and not answered costs as well: of few answers it is too large a part.
    if pid and load.requests >= 5 * concurrency:
        return dataclasses.replace(load, cpu_ms=(memory.cpu_s(pid) - before) * 1000 / load.requests)
    return load


def _wrk(target: Target, path: str, concurrency: int, seconds: float) -> Load:
    with tempfile.TemporaryDirectory() as directory:
        script = Path(directory) / "headers.lua"
        script.write_text(_LUA, encoding="utf-8")
        url = f"http://{target.host}:{target.port}{target.prefix}{path}"
        duration = f"{max(1, round(seconds))}s"
        command = ["wrk", "-t1", f"-c{concurrency}", f"-d{duration}", "--timeout", "20s", "--latency"]
        command += ["-s", str(script), url]
        secrets = {"BENCH_TOKEN": target.token, "BENCH_VERSION": f"compute {target.microversion}"}
        done = subprocess.run(
            command, env={**os.environ, **secrets}, capture_output=True, text=True, timeout=seconds + 60, check=True
        )
    return _parse_wrk(done.stdout)


def _parse_wrk(text: str) -> Load:
    def number(pattern: str, default: str = "0") -> str:
        found = re.search(pattern, text)
        return found.group(1) if found else default

    sockets = re.search(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", text)
    broken = sum(int(each) for each in sockets.groups()) if sockets else 0
    return Load(
        rate=float(number(r"Requests/sec:\s+([\d.]+)")),
        p50_ms=_milliseconds(number(r"50%\s+([\d.]+[a-z]+)", "0ms")),
        p99_ms=_milliseconds(number(r"99%\s+([\d.]+[a-z]+)", "0ms")),
        requests=int(number(r"(\d+) requests in")),
        errors=broken + int(number(r"Non-2xx or 3xx responses: (\d+)")),
        client="wrk",
    )


def _milliseconds(text: str) -> float:
    value, unit = re.fullmatch(r"([\d.]+)([a-z]+)", text).groups()  # type: ignore[union-attr]
    return float(value) * _UNITS_MS[unit]


def _threads(target: Target, path: str, concurrency: int, seconds: float) -> Load:
    times: list[float] = []
    errors: list[int] = []
    end = time.perf_counter() + seconds

    def run() -> None:
        connection = Connection(target)
        while (begin := time.perf_counter()) < end:
            try:
                status = connection.call("GET", path).status
            except OSError:
                status = 0
            times.append(time.perf_counter() - begin)
            if not 200 <= status < 300:
                errors.append(status)
        connection.close()

    workers = [threading.Thread(target=run, daemon=True) for _ in range(concurrency)]
    begin = time.perf_counter()
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(timeout=seconds + 60)
    took = time.perf_counter() - begin
    cuts = statistics.quantiles(times, n=100) if len(times) > 1 else [times[0]] * 99
    return Load(len(times) / took, cuts[49] * 1000, cuts[98] * 1000, len(times), len(errors), "python")
