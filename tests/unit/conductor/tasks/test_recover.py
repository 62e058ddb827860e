"""Operations that end without having been done: their time is up, or nobody can do them."""

from __future__ import annotations

from unittest import mock

import pytest

from nova_lite import conf as nova_conf
from nova_lite import exception
from nova_lite.clock import utcnow
from nova_lite.compute import actions
from nova_lite.compute.action_row import Place
from nova_lite.compute.power_states import PowerState
from nova_lite.conductor import journal
from nova_lite.conductor.manager import ConductorManager
from nova_lite.conductor.tasks import recover
from nova_lite.context import admin_context
from nova_lite.db.api import instances, operations
from nova_lite.objects import OperationState
from tests.harness.database import make_instance

pytestmark = pytest.mark.usefixtures("database")


def _operation(action: str, host: str | None, **server: object) -> int:
    instance = instances.insert(make_instance(action, host=host, node=host, launched_at=utcnow(), **server))
    return operations.insert_pending(
        request_id="r", instance_uuid=instance.uuid, action=action, project_id="p", user_id="u",
        topic="conductor" if host is None else "compute", host=host, args={"bdm_uuid": "b"}, timeout_s=90,
    )  # fmt: skip


def _conductor() -> ConductorManager:
    return ConductorManager("me", nova_conf.CONF, mock.Mock(), mock.Mock(), mock.Mock())


def _without_turn() -> set[str]:
    """Actions of hosts in which conductors have no part."""
    own = _conductor()._tasks
    return {row.name for row in actions.ACTIONS if row.place is Place.COMPUTE and row.name not in own}


def test_what_only_a_host_can_do_ends_when_its_server_has_none() -> None:
    """It was accepted while its server lost its host. Nobody would ever do it, and the server would keep its task."""
    conductor = _conductor()
    names = _without_turn()
    assert {"stop", "rebuild", "rescue"} <= names
    for name in sorted(names):
        number = _operation(name, None, task_state="powering-off", vm_state="active")
        conductor.run_operation(admin_context(), number)
        ended = operations.get(number)
        assert (ended.state, ended.message) == (OperationState.FAILED, "The server is on no host that could do it.")
        server = instances.get(ended.instance_uuid)
        assert server.fault is not None and server.fault.message == ended.message
        row = actions.by_name(name)
        assert server.task_state == (None if row.sets_task is not None else "powering-off"), name
        assert server.vm_state == ("active" if row.reverts else "error"), name


def test_nobodys_operation_of_a_server_that_is_gone_ends() -> None:
    number = _operation("stop", None)
    instances.tombstone(operations.get(number).instance_uuid)
    _conductor().run_operation(admin_context(), number)
    ended = operations.get(number)
    assert (ended.state, ended.message) == (OperationState.FAILED, "The server is gone.")


def test_what_ended_while_a_sweeper_looked_at_its_deadline_is_not_undone() -> None:
    """Its undoing would begin it anew: a volume that is attached would be taken away."""
    number = _operation("attach_volume", "h", vm_state="active")
    late = operations.get(number)
    taken = operations.take(number, "me", 9, "compute", "h")
    assert taken is not None
    journal.finish(number, taken.attempt, PowerState.RUNNING, {"block_devices": ()})
    recover.time_is_up(late)
    assert operations.get(number).state is OperationState.DONE


_ALONE = [row for row in actions.ACTIONS if row.place is not Place.API and not row.off_home]


@pytest.mark.parametrize("name", sorted({row.name for row in _ALONE} | {"delete", "forceDelete", "confirmResize"}))
def test_nobody_stops_what_is_tried_until_it_is_done(name: str) -> None:
    """Half of it may be done for good, and nobody would take that back. What is settled an operator may end."""
    number = _operation(name, "h", vm_state="active")
    if actions.by_name(name).timeout_s is None and name != actions.SETTLE.name:
        with pytest.raises(exception.Conflict):
            recover.cancelled(operations.get(number))
        assert operations.get(number).finish_time is None
    else:
        recover.cancelled(operations.get(number))
        ended = operations.get(number)
        assert ended.finish_time is not None or ended.args["stage"] == "undo"


@pytest.mark.parametrize("name", ["attach_volume", "swap_volume", "attach_interface"])
def test_nobody_stops_what_is_being_taken_back(name: str) -> None:
    """A guest and its server would disagree for good."""
    number = _operation(name, "h", vm_state="active")
    recover.cancelled(operations.get(number))
    undone = operations.get(number)
    with pytest.raises(exception.Conflict):
        recover.cancelled(undone)
    assert operations.get(number) == undone
