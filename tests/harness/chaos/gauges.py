"""What daemons use, before and after the storm: descriptors, threads, memory, and messages in queues (I11)."""

from __future__ import annotations

import contextlib
import os
import pathlib
from collections.abc import Mapping
from dataclasses import dataclass

from tests.harness.chaos.world import World

# What a daemon may have more at the end than it had when it was warm: pools and caches that filled meanwhile.
MORE_DESCRIPTORS, MORE_THREADS, MORE_MB = 40, 40, 80.0


@dataclass(frozen=True)
class Gauge:
    descriptors: int
    threads: int
    rss_mb: float


def read(world: World) -> dict[str, Gauge]:
    """Of every daemon that lives."""
    found = {}
    for name, pid in world.pids().items():
        with contextlib.suppress(OSError):
            status = pathlib.Path(f"/proc/{pid}/status").read_text()
            found[name] = Gauge(
                len(os.listdir(f"/proc/{pid}/fd")), int(_field(status, "Threads")),
                round(int(_field(status, "VmRSS").split()[0]) / 1024, 1),
            )  # fmt: skip
    return found


def _field(status: str, name: str) -> str:
    return status.split(f"{name}:", 1)[1].split("\n", 1)[0].strip()


def grown(before: Mapping[str, Gauge], after: Mapping[str, Gauge]) -> list[str]:
    """What did not come back."""
    wrong = []
    for name, now in after.items():
        then = before.get(name)
        if then is None:
            continue
        if now.descriptors > then.descriptors + MORE_DESCRIPTORS:
            wrong.append(f"I11: {name} had {then.descriptors} descriptors and has {now.descriptors}")
        if now.threads > then.threads + MORE_THREADS:
            wrong.append(f"I11: {name} had {then.threads} threads and has {now.threads}")
        if now.rss_mb > then.rss_mb + MORE_MB:
            wrong.append(f"I11: {name} had {then.rss_mb} MiB and has {now.rss_mb}")
    return wrong
