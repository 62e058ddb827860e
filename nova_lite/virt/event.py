"""What a hypervisor reports by itself about a guest."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Transition(enum.StrEnum):
    STARTED = "started"
    STOPPED = "stopped"
    PAUSED = "paused"
    RESUMED = "resumed"
    SUSPENDED = "suspended"


@dataclass(frozen=True)
class LifecycleEvent:
    """``at`` is seconds on the monotonic clock of the host that saw it."""

    uuid: str
    transition: Transition
    at: float
