"""What a copy of the database forgets when it is taken for the truth, and what it keeps."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from sqlalchemy import text

from nova_lite.compute.vm_states import VmState
from nova_lite.conductor import adoption, moves
from nova_lite.db import clock
from nova_lite.db.api import (
    cloud,
    instances,
    migrations,
    operations,
    provisional_images,
    provisional_volumes,
    services,
    soft_deletes,
)
from nova_lite.db.session import writer
from nova_lite.liveness import COMPUTE
from nova_lite.objects import Instance, MigrationStatus, MigrationType, OperationState
from tests.harness.database import make_instance

pytestmark = pytest.mark.usefixtures("database")


def _accepted(server: Instance, action: str, **more: Any) -> int:
    return operations.insert_pending(
        request_id="r", instance_uuid=server.uuid, action=action, project_id="p", user_id="u", topic="compute",
        host="h", args={"generation": 7}, timeout_s=None, **more,
    )  # fmt: skip


def _server(**more: Any) -> Instance:
    return instances.insert(make_instance(host="h", node="h", generation=3, **more))


@pytest.mark.parametrize("action", ["create", "resize", "evacuate", "shelve", "delete"])
def test_what_was_under_way_ends_and_nothing_of_it_is_undone(action: str) -> None:
    server = _server(task_state="working")
    number = _accepted(server, action)
    found = adoption.adopt()
    row, operation = instances.get(server.uuid), operations.get(number)
    assert found.servers == (server.uuid,)
    assert (row.vm_state, row.task_state, row.host, row.generation) == (VmState.ERROR, None, "h", 3)
    assert (operation.state, operation.message) == (OperationState.FAILED, adoption.UNKNOWN)
    assert operations.open_for_instance(server.uuid) == []
    assert row.fault is not None and row.fault.message == adoption.UNKNOWN


def test_a_move_that_was_open_ends_where_the_row_is() -> None:
    server = _server()
    number = _accepted(server, "resize")
    moves.begin(operations.get(number), server, MigrationType.RESIZE, status=MigrationStatus.POST_MIGRATING)
    instances.update_if(server.uuid, {"host": "there"})
    adoption.adopt()
    last = migrations.last_of(server.uuid)
    assert last is not None and last.status == MigrationStatus.ERROR and instances.get(server.uuid).host == "there"
    assert operations.open_for_instance(server.uuid) == []


def test_what_runs_beside_others_leaves_its_server_alone() -> None:
    server = _server(vm_state=VmState.ACTIVE)
    number = _accepted(server, "attach_volume")
    adoption.adopt()
    assert operations.get(number).state is OperationState.FAILED
    assert instances.get(server.uuid).vm_state == VmState.ACTIVE


def test_an_operation_of_a_server_that_is_gone_ends_too() -> None:
    server = make_instance()
    number = _accepted(server, "delete")
    adoption.adopt()
    assert operations.get(number).state is OperationState.FAILED


def test_nothing_goes_by_what_was_promised() -> None:
    provisional_images.promise("image", "server", 0)
    provisional_volumes.promise(["server"], 0, "volume")
    found = adoption.adopt()
    assert (found.images, found.volumes) == (("image",), ("volume",))
    assert provisional_images.list_all() == [] and provisional_volumes.list_all() == []


def test_who_was_deleted_softly_has_the_whole_time_again() -> None:
    server = _server(vm_state=VmState.SOFT_DELETED)
    _accepted(server, "softDelete", state=OperationState.DONE)
    with writer() as session:
        session.execute(text("update operations set finish_time = '2026-01-01'"))
    an_hour_ago = clock.now() - datetime.timedelta(hours=1)
    assert [each.uuid for each in soft_deletes.before(an_hour_ago)] == [server.uuid]
    adoption.adopt()
    assert soft_deletes.before(an_hour_ago) == []
    assert soft_deletes.before(an_hour_ago + datetime.timedelta(hours=2))


def test_it_is_another_cloud_which_no_host_belongs_to() -> None:
    services.register("h", COMPUTE, "compute", "1", identity="mine")
    before = cloud.get()
    found = adoption.adopt()
    after = cloud.get()
    assert found.cloud == after.uuid != before.uuid and after.mark == before.mark
    assert services.get_by_host("h", COMPUTE).identity is None
