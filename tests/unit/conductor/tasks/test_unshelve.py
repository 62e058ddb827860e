"""When a conductor looks for a host for a server on the shelf, and when that waits."""

from __future__ import annotations

from typing import Any
from unittest import mock

import pytest

from nova_lite.compute.task_states import TaskState
from nova_lite.compute.vm_states import VmState
from nova_lite.conductor.tasks.unshelve import UnshelveTask
from nova_lite.context import admin_context
from nova_lite.db.api import instances, operations
from tests.harness.database import make_instance

pytestmark = pytest.mark.usefixtures("database")


@pytest.mark.parametrize(
    ("action", "args", "waits"),
    [
        ("detach_volume", {}, True), ("attach_volume", {}, True), ("swap_volume", {}, True),
        ("settle", {"left": "a", "generation": 1}, True), ("settle", {"unsent": True, "generation": 1}, False),
    ],
)  # fmt: skip
def test_no_host_gets_a_server_whose_volumes_a_conductor_is_changing(
    action: str, args: dict[str, Any], waits: bool
) -> None:
    """A volume that a detach gave up was anybody's under a guest that had just been given it."""
    values = {"host": None, "node": None, "vm_state": VmState.SHELVED_OFFLOADED, "task_state": TaskState.UNSHELVING}
    server = instances.insert(make_instance(**values))
    for name, more in ((action, args), ("unshelve", {})):
        number = operations.insert_pending(
            request_id="r", instance_uuid=server.uuid, action=name, project_id="p", user_id="u", topic="conductor",
            host=None, timeout_s=90, args=more,
        )  # fmt: skip
    taken = operations.take(number, "me", 9, "conductor", None)
    assert taken is not None
    scheduler = mock.Mock(select_destinations=mock.Mock(side_effect=ZeroDivisionError))
    task = UnshelveTask(scheduler, mock.Mock())
    if waits:
        task.execute(admin_context(), taken)
        assert operations.get(number).rests == 1 and not scheduler.mock_calls
    else:
        with pytest.raises(ZeroDivisionError):
            task.execute(admin_context(), taken)
