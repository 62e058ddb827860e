"""The table of actions against the contract's (states.md, section 2) and against itself."""

from __future__ import annotations

import pytest

from nova_lite.compute import actions
from nova_lite.compute.actions import ACTIONS, Place
from nova_lite.compute.task_states import TaskState as T
from nova_lite.compute.vm_states import VmState as V

# vm_states from which states.md lets each action start; written again here so that the table cannot agree with itself.
CONTRACT = {
    "start": {"stopped"},
    "stop": {"active", "error"},
    "pause": {"active"},
    "unpause": {"paused"},
    "suspend": {"active"},
    "resume": {"suspended"},
}


@pytest.mark.parametrize("name", sorted(CONTRACT))
@pytest.mark.parametrize("vm_state", [state for state in V if state is not V.DELETED])
def test_an_idle_launched_server_may_exactly_what_the_contract_says(name: str, vm_state: V) -> None:
    refused = actions.refusal(actions.by_name(name), vm_state, None, launched=True)
    assert (refused is None) == (vm_state in CONTRACT[name])
    if refused is not None:
        assert (refused.attribute, refused.state) == ("vm_state", vm_state)


@pytest.mark.parametrize("name", sorted(CONTRACT))
@pytest.mark.parametrize("task", list(T))
def test_a_busy_server_is_refused_by_its_task(name: str, task: T) -> None:
    row = actions.by_name(name)
    vm_state = next(iter(row.vm_states))
    assert actions.refusal(row, vm_state, task, launched=True) == actions.Refusal("task_state", task)


@pytest.mark.parametrize("name", sorted(CONTRACT))
def test_a_server_that_never_ran_is_refused_by_that(name: str) -> None:
    row = actions.by_name(name)
    refused = actions.refusal(row, next(iter(row.vm_states)), None, launched=False)
    assert refused is not None and refused.attribute == "launched_at"


def test_a_hard_reboot_is_allowed_where_a_soft_one_is_not() -> None:
    hard, soft = actions.by_name("reboot", {"type": "HARD"}), actions.by_name("reboot", {"type": "SOFT"})
    assert hard.vm_states == {V.ACTIVE, V.STOPPED, V.PAUSED, V.SUSPENDED, V.ERROR}
    assert soft.vm_states == {V.ACTIVE}
    assert actions.refusal(hard, V.ACTIVE, T.REBOOTING, launched=True) is None
    assert actions.refusal(hard, V.ACTIVE, T.REBOOTING_HARD, launched=True) is None
    assert actions.refusal(hard, V.ACTIVE, T.DELETING, launched=True) is not None
    assert actions.refusal(soft, V.ACTIVE, T.REBOOTING, launched=True) is not None


@pytest.mark.parametrize("row", [actions.DELETE, actions.FORCE_DELETE], ids=lambda row: row.name)
@pytest.mark.parametrize("task", [None, *T])
@pytest.mark.parametrize("vm_state", [state for state in V if state is not V.DELETED])
def test_delete_is_always_allowed(row: actions.Action, task: T | None, vm_state: V) -> None:
    assert actions.refusal(row, vm_state, task, launched=False) is None


# These return a server to where it rested before, or do not touch that.
_NO_FIXED_END = {
    "rebuild", "confirmResize", "revertResize", "live-migration", "evacuate", "createImage", "createBackup",
    "changePassword",
}  # fmt: skip
# These show no task: others may go on beside them.
_NO_TASK = {
    "trigger_crash_dump", "attach_volume", "detach_volume", "swap_volume", "attach_interface", "detach_interface",
    "confirmResize", "settle",
}  # fmt: skip


def test_every_action_that_works_somewhere_says_what_it_does_and_how_it_ends() -> None:
    for row in ACTIONS:
        if row.place is Place.API:
            assert row.driver_call is None and row.sets_task is None
        else:
            assert row.driver_call, row.name
            assert (row.sets_task is None) == (row.name in _NO_TASK), row.name
            assert (row.ends_in is None) == (row.name in _NO_TASK | _NO_FIXED_END), row.name
            assert row.sets_task is None or row.sets_task not in row.task_states or row.task_states != actions.IDLE
            assert row.timeout_s is None or row.timeout_s > 0
        assert row.event.startswith("compute_")


def test_names_find_their_rows() -> None:
    for row in ACTIONS:
        args = {"type": "HARD"} if row is actions.REBOOT_HARD else {"type": "SOFT"}
        assert actions.by_name(row.name, args) is row
    with pytest.raises(KeyError):
        actions.by_name("fly")
