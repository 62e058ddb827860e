"""The races on green threads: ``python -m tests.harness.green_races URL``.

Prints a JSON object: the races that were won, and the longest time the hub stood still (ms) while a writer of an SQLite
file waited half a second for another process.
"""

from __future__ import annotations

from nova_lite import concurrency

concurrency.patch(concurrency.EVENTLET)

import json  # noqa: E402
import sys  # noqa: E402
import time  # noqa: E402

HELD_S = 0.5
HOLDER = """
import sqlite3, sys, time
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN IMMEDIATE")
print("held", flush=True)
time.sleep(float(sys.argv[2]))
connection.execute("COMMIT")
"""


def longest_gap_ms(file: str) -> float:
    """The hub's longest stop while a writer waits for another process."""
    import subprocess

    from nova_lite.db.api import flavors

    holder = subprocess.Popen([sys.executable, "-c", HOLDER, file, str(HELD_S)], stdout=subprocess.PIPE)
    assert holder.stdout is not None and holder.stdout.readline() == b"held\n"
    start = time.monotonic()
    writing = concurrency.spawn(flavors.seed_defaults)
    longest, last = 0.0, start
    while not writing.done():
        concurrency.sleep(0.005)
        now = time.monotonic()
        longest, last = max(longest, now - last), now
    assert writing.result() == 6
    assert time.monotonic() - start > HELD_S / 2, "the lock was not held: nothing was measured"
    holder.wait()
    return longest * 1000


def main(url: str) -> None:
    from sqlalchemy import make_url

    from tests.harness.database import fresh_database
    from tests.harness.request_races import RACES

    won = []
    for race in RACES:
        with fresh_database(url):
            race()
        won.append(race.__name__)
    gap = None
    if url.startswith("sqlite"):
        with fresh_database(url):
            gap = longest_gap_ms(str(make_url(url).database))
    print(json.dumps({"won": won, "gap_ms": gap}))


if __name__ == "__main__":
    main(sys.argv[1])
