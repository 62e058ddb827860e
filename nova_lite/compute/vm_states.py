"""Stable states of a server, and the status word a client sees (contract states.md, section 1)."""

from __future__ import annotations

import enum


class VmState(enum.StrEnum):
    """Where a server rests; kept in ``instances.vm_state``."""

    ACTIVE = "active"
    BUILDING = "building"
    PAUSED = "paused"
    SUSPENDED = "suspended"
    STOPPED = "stopped"
    RESCUED = "rescued"
    RESIZED = "resized"
    SOFT_DELETED = "soft-delete"
    DELETED = "deleted"
    ERROR = "error"
    SHELVED = "shelved"
    SHELVED_OFFLOADED = "shelved_offloaded"


# Where a server rests that works, or starts again, with the disk that its host has.
ON_ITS_DISK = frozenset(
    {VmState.ACTIVE, VmState.PAUSED, VmState.SUSPENDED, VmState.STOPPED, VmState.RESCUED, VmState.RESIZED}
)
