"""The failpoint matrix: every operation, at every moment it passes, broken in every way; then the oracle judges.

    python -m tests.harness.failpoints.matrix [--operation NAME] [--kind KIND] [--every N] [--jobs N]
    python -m tests.harness.failpoints.matrix --json FILE --jobs 4          each result is appended to FILE as it comes
    python -m tests.harness.failpoints.matrix --json FILE --resume          cells of FILE that went well are left out
    python -m tests.harness.failpoints.matrix --json FILE --publish         nothing is run: results.json is written
"""

from __future__ import annotations

import argparse
import collections
import concurrent.futures
import logging
import multiprocessing
import os
import pathlib
import signal
import sys
import threading
import time
import timeit
from collections.abc import Iterable, Iterator
from typing import Any

from nova_lite import failpoints
from tests.harness.failpoints.breaker import Kind, Moment
from tests.harness.failpoints.cells import Cell, Matrix, Result
from tests.harness.failpoints.results import Diary, publish
from tests.harness.failpoints.scenarios import SCENARIOS

BY_NAME = {scenario.name: scenario for scenario in SCENARIOS}
# No cell takes longer, unless something hangs for good.
CELL_S = 150

_matrix: Matrix | None = None


def _begin() -> None:
    """In each process of a run."""
    global _matrix
    _matrix = Matrix()
    logging.getLogger().addHandler(logging.NullHandler())

    def too_long(*_: Any) -> None:
        raise TimeoutError(f"it took more than {CELL_S} s")

    signal.signal(signal.SIGALRM, too_long)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """A run that is killed leaves nobody behind who goes on with what was queued."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _record(name: str) -> list[Moment]:
    assert _matrix is not None
    signal.alarm(CELL_S)
    try:
        return _matrix.moments(BY_NAME[name])
    finally:
        signal.alarm(0)


def _run(cell: Cell) -> Result:
    """A cell; what goes wrong with the run itself is a complaint, too."""
    assert _matrix is not None
    begun = time.monotonic()
    signal.alarm(CELL_S)
    try:
        result = _matrix.run(BY_NAME[cell.operation], cell)
        _matrix.grow_old()
        return result
    except Exception as error:
        _matrix.throw_away()
        return Result(cell, False, time.monotonic() - begun, [f"the run: {error!r:.500}"])
    finally:
        signal.alarm(0)


def run(diary: Diary, operations: list[str], kinds: Iterable[Kind], every: int, jobs: int) -> Iterator[Result]:
    """Run what is to be done, in so many processes; results as they come."""
    spawning = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(jobs, spawning, _begin) as pool:
        new = [name for name in operations if name not in diary.moments]
        for name, moments in zip(new, pool.map(_record, new), strict=True):
            diary.passed(name, moments)
        todo = diary.todo(operations, kinds, every)
        print(f"{len(todo)} cells", flush=True)
        for future in concurrent.futures.as_completed([pool.submit(_run, cell) for cell in todo]):
            result = future.result()
            diary.ran(result)
            yield result


def table(diary: Diary) -> str:
    """Cells run by operation and kind: ``run (violations)``."""
    counts: dict[str, collections.Counter[str]] = collections.defaultdict(collections.Counter)
    for result in diary.results.values():
        count = counts[result.cell.operation]
        count[result.cell.kind] += 1
        count["missed"] += not result.struck
        count[f"{result.cell.kind} bad"] += bool(result.complaints)
    lines = ["| operation | " + " | ".join(Kind) + " | not reached |", "| --- |" + " --: |" * (len(Kind) + 1)]
    for operation, count in counts.items():
        each = [f"{count[kind]}" + (f" ({count[f'{kind} bad']} bad)" if count[f"{kind} bad"] else "") for kind in Kind]
        lines.append(f"| {operation} | " + " | ".join(each) + f" | {count['missed']} |")
    return "\n".join(lines)


def unarmed_ns(times: int = 20_000) -> float:
    """What a point costs that nobody armed."""
    empty = min(timeit.repeat(lambda: None, number=times, repeat=200))
    full = min(timeit.repeat(lambda: failpoints.hit("call", "progress", "before"), number=times, repeat=200))
    return round((full - empty) / times * 1e9, 1)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--operation", action="append", choices=list(BY_NAME))
    parser.add_argument("--kind", action="append", choices=list(Kind), type=Kind)
    parser.add_argument("--every", type=int, default=1, metavar="N", help="run only every Nth cell")
    parser.add_argument("--jobs", type=int, default=1, metavar="N", help="processes")
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE", help="where each result is appended")
    parser.add_argument("--resume", action="store_true", help="leave out cells of FILE that went well")
    parser.add_argument("--publish", action="store_true", help="write results.json of FILE, and run nothing")
    options = parser.parse_args()
    diary = Diary(options.json)
    if options.resume or options.publish:
        diary.load()
    if options.publish:
        seconds = sum(result.seconds for result in diary.results.values())
        publish(diary.summary(), {"unarmed_ns": unarmed_ns(), "seconds": round(seconds)})
        return 0
    operations = options.operation or list(BY_NAME)
    for result in run(diary, operations, options.kind or list(Kind), options.every, options.jobs):
        if result.complaints:
            print(f"  BAD {result.cell.operation}, {result.cell.kind} at {result.cell.moment}: {result.complaints}",
                  flush=True)  # fmt: skip
    print(table(diary))
    return 1 if any(each.complaints for each in diary.results.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
