"""The status word of a server, worked out from vm_state and task_state (contract states.md, section 1)."""

from __future__ import annotations

from nova_lite.compute.task_states import TaskState as T
from nova_lite.compute.vm_states import VmState as V

_RESIZE = dict.fromkeys((T.RESIZE_PREP, T.RESIZE_MIGRATING, T.RESIZE_MIGRATED, T.RESIZE_FINISH), "RESIZE")
_REBUILD = dict.fromkeys((T.REBUILDING, T.REBUILD_BLOCK_DEVICE_MAPPING, T.REBUILD_SPAWNING), "REBUILD")
_SOFT = dict.fromkeys((T.REBOOTING, T.REBOOT_PENDING, T.REBOOT_STARTED), "REBOOT")
_HARD = dict.fromkeys((T.REBOOTING_HARD, T.REBOOT_PENDING_HARD, T.REBOOT_STARTED_HARD), "HARD_REBOOT")
_MIGRATING = {T.MIGRATING: "MIGRATING"}

# vm_state: (status at rest, {task_state: status while it runs})
TABLE: dict[V, tuple[str, dict[T, str]]] = {
    V.ACTIVE: ("ACTIVE", {**_SOFT, **_HARD, T.UPDATING_PASSWORD: "PASSWORD", **_REBUILD, **_MIGRATING, **_RESIZE}),
    V.BUILDING: ("BUILD", {}),
    V.STOPPED: ("SHUTOFF", {**_RESIZE, **_REBUILD}),
    V.RESIZED: ("VERIFY_RESIZE", {T.RESIZE_REVERTING: "REVERT_RESIZE"}),
    V.PAUSED: ("PAUSED", {**_MIGRATING}),
    V.SUSPENDED: ("SUSPENDED", {}),
    V.RESCUED: ("RESCUE", {}),
    V.SHELVED: ("SHELVED", {}),
    V.SHELVED_OFFLOADED: ("SHELVED_OFFLOADED", {}),
    V.ERROR: ("ERROR", {**_REBUILD}),
    V.SOFT_DELETED: ("SOFT_DELETED", {}),
    V.DELETED: ("DELETED", {}),
}

WITH_PROGRESS = frozenset({"ACTIVE", "BUILD", "REBUILD", "RESIZE", "VERIFY_RESIZE", "MIGRATING"})
WITH_FAULT = frozenset({"ERROR", "DELETED"})


def status_of(vm_state: str, task_state: str | None) -> str:
    """The status word; UNKNOWN for a state the table does not know."""
    try:
        rest, moving = TABLE[V(vm_state)]
    except ValueError:
        return "UNKNOWN"
    return moving.get(T(task_state), rest) if task_state else rest


def states_of(status: str) -> list[tuple[V, tuple[T, ...] | None]]:
    """The vm_states that show ``status`` (any case), each with its tasks, or None where the vm_state rests so.

    A rest status is shown by its vm_state under every task that does not show another word; Nova's list filter asks
    for the vm_state alone there, and so does this.
    """
    wanted = status.upper()
    found: list[tuple[V, tuple[T, ...] | None]] = []
    for vm_state, (rest, moving) in TABLE.items():
        if rest == wanted:
            found.append((vm_state, None))
        tasks = tuple(task for task, word in moving.items() if word == wanted)
        if tasks:
            found.append((vm_state, tasks))
    return found
