"""Removes one guard at a time and shows that the tests go red.

    python -m tests.harness.guards [--guard NAME ...] [--room ROOM] [--jobs 2] [--json FILE] [--tests PATH ...]

Everything happens in copies of the tree. First the named tests run with every guard in place: a test that is red anyway
sees nothing. ``--json`` keeps results beside those of other rows (``make guards``: tests/harness/guards/results.json).
``--tests`` looks for tests that see a guard: those run instead of the row's own, and all that fail are named.
Exits 1 when a guard survived, or a row proves nothing.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import pathlib
import queue
import sys
import threading
import time
from collections.abc import Collection, Sequence

from tests.harness.guards import results
from tests.harness.guards.table import Guard, guards
from tests.harness.guards.trial import Verdict, attempt, copies, run


def main() -> int:
    options = _options()
    chosen = _chosen(options)
    began = time.monotonic()
    with copies(options.jobs) as trees:
        red = [] if options.tests else _red_anyway(trees[0], chosen)
        for test, words in red:
            print(f"RED ANYWAY  {test}: {words}", flush=True)
        verdicts = _all(chosen, trees, tuple(options.tests), {test for test, _ in red}, options.json)
    bad = [verdict for verdict in verdicts if verdict.outcome != "killed"]
    for verdict in bad:
        print(f"{verdict.outcome}: {verdict.guard.name} ({verdict.guard.protects}) {verdict.why}")
    print(f"{len(verdicts) - len(bad)} of {len(verdicts)} guards are seen; {time.monotonic() - began:.0f} s")
    return int(bool(bad or red))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="guards", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--guard", action="append", default=[], help="only this one (may be repeated)")
    parser.add_argument("--room", action="append", default=[], help="only those of this room (may be repeated)")
    parser.add_argument("--jobs", type=int, default=2, help="how many at a time")
    parser.add_argument("--json", type=pathlib.Path, help="where the results are kept")
    parser.add_argument("--tests", nargs="+", default=[], help="run these instead of the row's own")
    return parser.parse_args()


def _chosen(options: argparse.Namespace) -> list[Guard]:
    known = guards()
    unknown = {*options.guard} - {guard.name for guard in known} | {*options.room} - {guard.room for guard in known}
    if unknown:
        sys.exit(f"no such guard or room: {', '.join(sorted(unknown))}")
    if not options.guard and not options.room:
        return known
    return [guard for guard in known if guard.name in options.guard or guard.room in options.room]


def _red_anyway(tree: pathlib.Path, chosen: Sequence[Guard]) -> list[tuple[str, str]]:
    """The named tests that fail with every guard in place."""
    done = run(tree, sorted({test for guard in chosen for test in guard.tests}))
    if done.trouble:
        sys.exit(f"the tests do not run with every guard in place: {done.trouble}")
    return [(each["test"], f"{each['kind']}: {each['words']}") for each in done.failed]


def _all(
    chosen: Sequence[Guard], trees: Sequence[pathlib.Path], tests: tuple[str, ...], red_anyway: Collection[str],
    kept_in: pathlib.Path | None,
) -> list[Verdict]:  # fmt: skip
    free: queue.SimpleQueue[pathlib.Path] = queue.SimpleQueue()
    for tree in trees:
        free.put(tree)
    keeping = threading.Lock()

    def one(guard: Guard) -> Verdict:
        tree = free.get()
        try:
            verdict = attempt(guard, tree, tests, red_anyway)
        finally:
            free.put(tree)
        print(f"{verdict.outcome:8} {guard.name} ({verdict.seconds:.1f} s) {verdict.why}", flush=True)
        if kept_in is not None and not tests:
            with keeping:  # at once, so that a run that is broken off has said what it found
                results.keep(kept_in, [verdict])
        return verdict

    with concurrent.futures.ThreadPoolExecutor(len(trees)) as pool:
        return list(pool.map(one, chosen))


if __name__ == "__main__":
    sys.exit(main())
