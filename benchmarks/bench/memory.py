"""What a process and its children take of the machine, as the kernel counts it: memory and processor time."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")


@dataclass(frozen=True)
class Memory:
    """MiB of a family of processes. PSS shares common pages among their users, RSS counts them for each."""

    pss_mib: float
    rss_mib: float
    processes: int


def of_family(pid: int) -> Memory:
    """A process and all it started, as far as they live."""
    pids = _family(pid)
    rollups = [rollup for each in pids if (rollup := _rollup(each))]
    return Memory(
        pss_mib=sum(rollup["Pss"] for rollup in rollups) / 1024,
        rss_mib=sum(rollup["Rss"] for rollup in rollups) / 1024,
        processes=len(rollups),
    )


def cpu_s(pid: int) -> float:
    """Seconds of processor time that a process and its living children used so far."""
    ticks = 0
    for each in _family(pid):
        try:
            fields = (PROC / str(each) / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it ended while we looked
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def _family(pid: int) -> list[int]:
    parents: dict[int, int] = {}
    for path in PROC.iterdir():
        if path.name.isdigit():
            try:
                # The name in the second field may hold blanks and brackets: what counts comes after the last bracket.
                parents[int(path.name)] = int((path / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue  # it ended while we looked
    family = [pid]
    for each in family:
        family += [child for child, parent in parents.items() if parent == each]
    return family


def _rollup(pid: int) -> dict[str, int]:
    """Kibibytes by name; empty where the process is gone."""
    try:
        lines = (PROC / str(pid) / "smaps_rollup").read_text().splitlines()[1:]
    except OSError:
        return {}
    return {name.rstrip(":"): int(number) for name, number, *_ in (line.split() for line in lines)}
