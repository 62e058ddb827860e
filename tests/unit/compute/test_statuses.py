"""Status words, there and back."""

from __future__ import annotations

import pytest

from nova_lite.compute.statuses import TABLE, states_of, status_of
from nova_lite.compute.task_states import TaskState as T
from nova_lite.compute.vm_states import VmState as V


@pytest.mark.parametrize(
    ("vm_state", "task", "status"),
    [
        ("active", None, "ACTIVE"),
        ("active", "deleting", "ACTIVE"),
        ("active", "powering-off", "ACTIVE"),
        ("active", "rebooting", "REBOOT"),
        ("active", "reboot_started_hard", "HARD_REBOOT"),
        ("active", "resize_prep", "RESIZE"),
        ("stopped", None, "SHUTOFF"),
        ("stopped", "rebooting_hard", "SHUTOFF"),
        ("building", "spawning", "BUILD"),
        ("rescued", None, "RESCUE"),
        ("resized", "resize_reverting", "REVERT_RESIZE"),
        ("error", "rebuilding", "REBUILD"),
        ("soft-delete", None, "SOFT_DELETED"),
        ("nonsense", None, "UNKNOWN"),
    ],
)
def test_a_servers_status(vm_state: str, task: str | None, status: str) -> None:
    assert status_of(vm_state, task) == status


def test_every_vm_state_has_a_status_and_is_found_by_it() -> None:
    assert set(TABLE) == set(V)
    for vm_state in V:
        assert (vm_state, None) in states_of(status_of(vm_state, None).lower())


def test_a_passing_status_is_found_in_every_state_that_shows_it() -> None:
    found = dict(states_of("rebuild"))
    assert set(found) == {V.ACTIVE, V.STOPPED, V.ERROR}
    assert all(tasks and T.REBUILD_SPAWNING in tasks for tasks in found.values())


def test_an_unknown_status_is_found_nowhere() -> None:
    assert states_of("flying") == []
