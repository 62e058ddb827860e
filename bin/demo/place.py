"""Where the demo keeps its things, and what it says on the way."""

from __future__ import annotations

import fcntl
import json
import os
import pathlib
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from lab import process

TOP = pathlib.Path(__file__).resolve().parents[2]
STATE = pathlib.Path(os.environ.get("NOVA_LITE_DEMO_DIR", TOP / ".nova-lite")).resolve()
BIN = TOP / ".venv" / "bin"

PREFERRED_PORTS = {"compute": 8774, "identity": 5000, "image": 9292, "network": 9696, "volume": 8776}


@dataclass
class Progress:
    """Lines with the seconds since the start, and how long each step took."""

    begun: float = field(default_factory=time.monotonic)

    def say(self, text: str) -> None:
        print(f"[{time.monotonic() - self.begun:6.1f}s] {text}", flush=True)

    @contextmanager
    def step(self, doing: str) -> Iterator[None]:
        self.say(f"{doing} ...")
        before = time.monotonic()
        yield
        self.say(f"  done in {time.monotonic() - before:.1f} s")


@contextmanager
def alone(progress: Progress) -> Iterator[None]:
    """Wait until no other start of this cloud is at work."""
    STATE.mkdir(parents=True, exist_ok=True)
    with (STATE / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            progress.say("another `make run` is at work here: waiting for it")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def ports(reuse: bool) -> dict[str, int]:
    """Ports of the last run where that still runs, else the usual ones, or free ones where others hold those."""
    path = STATE / "ports.json"
    if not (reuse and path.exists()):
        STATE.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({name: process.free_port(port) for name, port in PREFERRED_PORTS.items()}))
    return {**PREFERRED_PORTS, **json.loads(path.read_text())}
