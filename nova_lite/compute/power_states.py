"""What the hypervisor says of a guest, as Nova's numbers (contract states.md, section 1)."""

from __future__ import annotations

import enum


class PowerState(enum.IntEnum):
    """2 and 5 are unused since the first release."""

    NOSTATE = 0
    RUNNING = 1
    PAUSED = 3
    SHUTDOWN = 4
    CRASHED = 6
    SUSPENDED = 7
