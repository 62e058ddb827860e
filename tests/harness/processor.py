"""What a process waited because the machine had no processor to give: no fault of its own."""

from __future__ import annotations

import contextlib
import os
import pathlib


def waited_s(pid: int | None = None) -> float:
    """Seconds for which threads that live could have run and were not let, of this process or another (proc(5))."""
    total_ns = 0
    for task in pathlib.Path(f"/proc/{pid or os.getpid()}/task").iterdir():
        with contextlib.suppress(OSError):  # it has ended since
            total_ns += int((task / "schedstat").read_text().split()[1])
    return total_ns / 1e9
