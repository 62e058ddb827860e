"""Servers whose time to be restored is over are deleted for good: by the database's clock, not a conductor's."""

from __future__ import annotations

import pytest

from nova_lite.conductor.tasks import soft_delete
from nova_lite.db.api import instances, operations
from nova_lite.objects import OperationState
from tests.harness import clocks
from tests.harness.database import make_instance

pytestmark = pytest.mark.usefixtures("database")


def _reclaimed(server: str) -> bool:
    soft_delete.reclaim(3600, 60.0)
    return instances.get(server).task_state == "deleting"


def test_a_conductor_whose_clock_is_ahead_reclaims_nothing_early() -> None:
    server = instances.insert(make_instance(vm_state="soft-delete", host="a", node="a")).uuid
    operations.insert_pending(
        request_id="req", instance_uuid=server, action="softDelete", project_id="p", user_id="u", topic="compute",
        host="a", args={}, timeout_s=None, state=OperationState.DONE,
    )  # fmt: skip
    with clocks.ahead(hours=2):
        assert not _reclaimed(server)
    with clocks.later(hours=2):
        assert _reclaimed(server)
