"""Run a program of ours with a wall clock that is wrong: ``python wrong_clock.py FILE PROGRAM ARGUMENT...``.

FILE says by how many seconds, and may change at any time. libfaketime would be simpler, but breaks the sleeps of Python
3.11 (clock_nanosleep on the monotonic clock). What asks C for the time, past ``time.time``, sees the right one; our own
code asks nova_lite.clock, which asks ``time.time``.
"""

from __future__ import annotations

import pathlib
import runpy
import sys
import time

LOOK_S = 0.2
_right, _monotonic = time.time, time.monotonic


class WrongClock:
    """Reads the file again now and then."""

    def __init__(self, file: pathlib.Path) -> None:
        self._file = file
        self._read_at = -LOOK_S
        self._error_s = 0.0

    def __call__(self) -> float:
        if _monotonic() - self._read_at >= LOOK_S:
            self._read_at = _monotonic()
            self._error_s = float(self._file.read_text() or self._error_s)
        return _right() + self._error_s


if __name__ == "__main__":
    time.time = WrongClock(pathlib.Path(sys.argv[1]))
    del sys.argv[:2]
    runpy.run_path(sys.argv[0], run_name="__main__")
