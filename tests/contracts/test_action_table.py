"""The table of actions against the contract, the driver's interface, the routes, the policies and itself."""

from __future__ import annotations

import inspect
import re

import pytest

from nova_lite import policies
from nova_lite.api.openstack.routes import ROUTES
from nova_lite.compute import actions, statuses
from nova_lite.compute.actions import ACTIONS, ANY_STATE, ANY_TASK, Action, Place
from nova_lite.compute.task_states import TaskState
from nova_lite.compute.vm_states import VmState
from nova_lite.virt import driver
from tests.harness.contract import material, states

try:
    LEGAL = states.legality()
except material.ContractMissing as error:
    pytest.skip(str(error), allow_module_level=True)

# Our row: the contract's name of it.
CONTRACT_NAMES = {
    actions.START: "os-start", actions.STOP: "os-stop", actions.REBOOT_SOFT: "reboot SOFT",
    actions.REBOOT_HARD: "reboot HARD", actions.PAUSE: "pause", actions.UNPAUSE: "unpause",
    actions.SUSPEND: "suspend", actions.RESUME: "resume", actions.FORCE_DELETE: "forceDelete",
    actions.DELETE: "DELETE server", actions.REBUILD: "rebuild", actions.RESIZE: "resize", actions.MIGRATE: "migrate",
    actions.CONFIRM_RESIZE: "confirmResize", actions.REVERT_RESIZE: "revertResize", actions.RESCUE: "rescue",
    actions.UNRESCUE: "unrescue", actions.SHELVE: "shelve", actions.SHELVE_OFFLOAD: "shelveOffload",
    actions.UNSHELVE: "unshelve", actions.CREATE_IMAGE: "createImage", actions.CREATE_BACKUP: "createBackup",
    actions.CHANGE_PASSWORD: "changePassword", actions.TRIGGER_CRASH_DUMP: "trigger_crash_dump",
    actions.LIVE_MIGRATE: "os-migrateLive", actions.EVACUATE: "evacuate", actions.RESTORE: "restore",
    actions.ATTACH_VOLUME: "attach volume", actions.DETACH_VOLUME: "detach volume",
    actions.SWAP_VOLUME: "swap volume", actions.ATTACH_INTERFACE: "attach interface",
    actions.DETACH_INTERFACE: "detach interface", actions.UPDATE_METADATA: "metadata write",
    actions.DELETE_METADATA: "metadata delete", actions.FORCE_COMPLETE: "force_complete",
    actions.ABORT_MIGRATION: "abort migration", actions.WRITE_TAGS: "tags write",
}  # fmt: skip
# states.md says of these "no state rule" or judges them elsewhere (section 2, "Also").
WITHOUT_STATE_RULE = {
    actions.CREATE, actions.LOCK, actions.UNLOCK, actions.RESET_STATE, actions.GET_CONSOLE_OUTPUT,
    actions.SOFT_DELETE, actions.GET_DIAGNOSTICS, actions.ADD_SECURITY_GROUP, actions.REMOVE_SECURITY_GROUP,
    actions.SETTLE,
}  # fmt: skip
# "Console calls are also 409 while deleting or migrating" (the same place): nothing stays where it is meanwhile.
GUEST_MAY_GO = {actions.GET_REMOTE_CONSOLE}
NEEDS_NO_LAUNCH = {"DELETE server", "forceDelete", "tags write"}
# The contract says of these that their wording varies with the call.
WORDS_VARY = {actions.WRITE_TAGS}
ON_DRIVER = {name for _, cls in inspect.getmembers(driver, inspect.isclass) for name in vars(cls)}


def _group_name(cls: type) -> str:
    """``LiveMigrationDriver`` is the group ``live_migration``."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", cls.__name__.removesuffix("Driver")).lower()


GROUPS = {
    _group_name(cls): cls for name, cls in inspect.getmembers(driver, inspect.isclass)
    if name.endswith("Driver") and cls is not driver.ComputeDriver
}  # fmt: skip


def _ids(row: Action) -> str:
    return f"{row.name} {row.sets_task or ''}".strip()


def test_every_row_is_in_the_contract_or_said_to_have_no_rule() -> None:
    assert set(ACTIONS) == CONTRACT_NAMES.keys() | WITHOUT_STATE_RULE | GUEST_MAY_GO
    assert {LEGAL[name].action for name in CONTRACT_NAMES.values()} == set(CONTRACT_NAMES.values())


@pytest.mark.parametrize("row", CONTRACT_NAMES, ids=_ids)
def test_states_are_the_contracts(row: Action) -> None:
    legal = LEGAL[CONTRACT_NAMES[row]]
    assert {str(state) for state in row.vm_states} == legal.vm_states
    if legal.tasks is None:
        assert row.task_states == ANY_TASK
    else:
        assert {str(task).lower() if task else "none" for task in row.task_states} == legal.tasks
    assert row.needs_launch == (CONTRACT_NAMES[row] not in NEEDS_NO_LAUNCH)
    assert row.ignores_lock != legal.lock_stops
    if legal.verb != "(none)" and row not in WORDS_VARY:
        assert row.verb == legal.verb


@pytest.mark.parametrize("row", sorted(WITHOUT_STATE_RULE, key=_ids), ids=_ids)
def test_no_rule_means_any_state(row: Action) -> None:
    if row is not actions.CREATE:
        assert (row.vm_states, row.task_states, row.needs_launch) == (ANY_STATE, ANY_TASK, False)


@pytest.mark.parametrize("row", GUEST_MAY_GO, ids=_ids)
def test_consoles_are_refused_while_a_guest_goes_away(row: Action) -> None:
    assert row.vm_states == ANY_STATE
    assert ANY_TASK - row.task_states == {TaskState.DELETING, TaskState.MIGRATING}


def test_statuses_are_the_contracts() -> None:
    listed = states.statuses()
    assert listed.pop(("anything else", None)) == "UNKNOWN" == statuses.status_of("nonsense", None)
    for vm_state in VmState:
        for task in (None, *TaskState):
            expected = listed.get((vm_state, task), listed[vm_state, None])
            assert statuses.status_of(vm_state, task) == expected, (vm_state, task)


@pytest.mark.parametrize("row", ACTIONS, ids=_ids)
def test_the_driver_can_do_it(row: Action) -> None:
    if row.place is Place.API:
        assert row.driver_call is None
        return
    assert row.driver_call in ON_DRIVER
    if row.requires:
        group = GROUPS[row.requires]
        assert row.driver_call in vars(group), f"{row.driver_call} is not in the group {row.requires}"


# Groups that no user's action asks for: what operators do with guests that were set apart.
OPERATORS = {"quarantine"}


def test_every_group_of_the_driver_is_asked_for_by_a_row() -> None:
    asked_for = {row.requires for row in ACTIONS if row.requires}
    assert GROUPS.keys() == asked_for | OPERATORS


def _reachable() -> set[VmState]:
    """Born building; error by a failure or by hand; the rest by an action's end."""
    return {VmState.BUILDING, VmState.ERROR} | {row.ends_in for row in ACTIONS if row.ends_in}


def test_every_named_state_is_reachable() -> None:
    named = {state for row in ACTIONS if row.vm_states != ANY_STATE for state in row.vm_states}
    assert named - _reachable() == set()


def test_every_reachable_state_is_leavable() -> None:
    for state in _reachable() - {VmState.DELETED}:
        ways = [row for row in ACTIONS if state in row.vm_states and row.ends_in not in (None, state)]
        assert ways, f"nothing leads out of {state}"


def test_every_task_is_set_by_one_kind_of_action() -> None:
    """A task state names the action, so that a reader of a busy server knows what runs."""
    setters: dict[TaskState, set[str]] = {}
    for row in ACTIONS:
        if row.sets_task:
            setters.setdefault(row.sets_task, set()).add(row.driver_call or "")
    assert {task: calls for task, calls in setters.items() if len(calls) > 1} == {}


def test_every_action_has_a_route_and_every_server_action_route_a_row() -> None:
    keys = {row.key for row in ACTIONS if row.key}
    routed = {
        route.action for route in ROUTES
        if route.path == "/servers/{id}/action" and not route.handler.startswith("retired:")
    }  # fmt: skip
    assert routed == keys


def test_every_action_has_a_policy_that_names_it() -> None:
    documented = {path for rule in policies.all_rules() for _, path in rule.operations}
    for row in ACTIONS:
        if row.key:
            assert f"/servers/{{id}}/action ({row.key})" in documented, row.key


@pytest.mark.parametrize("row", [actions.RESIZE, actions.MIGRATE, actions.LIVE_MIGRATE], ids=lambda row: row.name)
def test_what_is_nowhere_does_not_move(row: actions.Action) -> None:
    """A server that an administrator declared active may have no host: its move would never end."""
    assert row.leaves_host
