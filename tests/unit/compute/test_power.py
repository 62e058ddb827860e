"""Actions that are one driver call: the guest says whether it was done, where its power can tell."""

from __future__ import annotations

from typing import Any

import pytest

from nova_lite import exception
from nova_lite.compute import actions, power
from nova_lite.compute.power_states import PowerState
from nova_lite.objects import Instance
from tests.harness.database import make_instance
from tests.harness.lone_host import CTXT, NAME, LoneHost, operation

SERVER = make_instance(host=NAME)
# The action, and what the guest does before.
SEEN = {
    actions.START: PowerState.SHUTDOWN, actions.STOP: PowerState.RUNNING, actions.PAUSE: PowerState.RUNNING,
    actions.UNPAUSE: PowerState.PAUSED, actions.RESUME: PowerState.SHUTDOWN,
}  # fmt: skip
NOT_SEEN = {
    actions.REBOOT_HARD: PowerState.RUNNING, actions.SUSPEND: PowerState.RUNNING,
    actions.TRIGGER_CRASH_DUMP: PowerState.RUNNING,
}  # fmt: skip


def _broken(row: actions.Action, before: PowerState, works: bool, error: Exception) -> LoneHost:
    """A host whose hypervisor fails at the call, having done it or not."""
    lone = LoneHost()
    lone.driver.create_disks(CTXT, SERVER)
    lone.driver.spawn(SERVER, ())
    lone.driver.guests[SERVER.uuid].power_state = before
    done = getattr(lone.driver, str(row.driver_call))

    def fails(instance: Instance, *args: Any) -> None:
        if works:
            done(instance, *args)
        raise error

    setattr(lone.driver, str(row.driver_call), fails)
    return lone


def _perform(lone: LoneHost, row: actions.Action) -> str:
    """What the conductor is told in the end."""
    args = {"type": "HARD"} if row is actions.REBOOT_HARD else {}
    power.perform(lone.host, CTXT, operation(row.name, SERVER, (), **args), SERVER)
    return str(lone.conductor.verbs()[-1])


@pytest.mark.parametrize("row", SEEN, ids=lambda row: row.name)
def test_what_was_done_is_done_whatever_the_hypervisor_says(row: actions.Action) -> None:
    lone = _broken(row, SEEN[row], True, exception.HypervisorUnavailable(host=NAME))
    assert _perform(lone, row) == "finish_operation"
    assert lone.conductor.told[-1][3] == row.ends_power


@pytest.mark.parametrize("row", SEEN, ids=lambda row: row.name)
def test_what_was_not_done_has_failed(row: actions.Action) -> None:
    assert _perform(_broken(row, SEEN[row], False, ValueError("no")), row) == "fail_operation"


@pytest.mark.parametrize("works", [False, True])
@pytest.mark.parametrize("row", NOT_SEEN, ids=lambda row: row.name)
def test_where_power_says_nothing_the_hypervisor_is_believed(row: actions.Action, works: bool) -> None:
    assert _perform(_broken(row, NOT_SEEN[row], works, ValueError("no")), row) == "fail_operation"


def test_who_was_overtaken_hears_it() -> None:
    lone = _broken(actions.PAUSE, PowerState.RUNNING, True, exception.StaleWrite(what="Operation 7"))
    with pytest.raises(exception.StaleWrite):
        _perform(lone, actions.PAUSE)
    assert lone.conductor.told == []


@pytest.mark.parametrize("error", [ValueError("no"), exception.HypervisorUnavailable(host=NAME)])
def test_a_soft_delete_is_tried_until_its_guest_is_off(error: Exception) -> None:
    lone = _broken(actions.SOFT_DELETE, PowerState.RUNNING, False, error)
    assert _perform(lone, actions.SOFT_DELETE) == "put_down"


def test_a_server_whose_guest_is_gone_is_off_and_can_be_deleted() -> None:
    lone = LoneHost()
    assert _perform(lone, actions.SOFT_DELETE) == "finish_operation"
    assert lone.conductor.told[-1][3] == PowerState.SHUTDOWN


def test_a_soft_delete_that_was_overtaken_hears_it() -> None:
    lone = _broken(actions.SOFT_DELETE, PowerState.RUNNING, False, exception.StaleWrite(what="Operation 7"))
    with pytest.raises(exception.StaleWrite):
        _perform(lone, actions.SOFT_DELETE)
    assert lone.conductor.told == []
