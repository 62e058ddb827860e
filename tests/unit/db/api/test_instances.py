"""Servers: one statement to read, compare-and-swap to change, gone stays gone."""

from __future__ import annotations

import datetime

import pytest

from nova_lite import exception
from nova_lite.compute.task_states import TaskState
from nova_lite.compute.vm_states import VmState
from nova_lite.db.api import instances
from nova_lite.objects import Fault, FixedIP, Instance, ServerSearch, Vif
from tests.harness.builders import make_flavor, uuid_of
from tests.harness.database import make_instance, statements

pytestmark = pytest.mark.usefixtures("database")
MICRO = datetime.datetime(2026, 11, 20, 12, 0, 0, 123456)


def _insert(name: str = "vm", **values: object) -> Instance:
    return instances.insert(make_instance(name, **values))


def test_what_is_written_is_read_again() -> None:
    written = _insert(
        task_state=TaskState.SCHEDULING, power_state=4, generation=3, host="h", locked=True, locked_reason="why",
        trusted_certs=("c1",), scheduler_hints={"group": "g", "different_host": ["a"]}, launched_at=MICRO,
        fault=Fault(500, "broken", "trace", "h", MICRO), created_at=MICRO, updated_at=MICRO, user_data="x" * 65535,
    )  # fmt: skip
    assert instances.get(written.uuid) == written
    assert instances.get(written.uuid).launched_at == MICRO


def test_times_are_set_and_given_back() -> None:
    written = _insert()
    assert written.created_at is not None and written.updated_at == written.created_at
    assert instances.get(written.uuid) == written


def test_reading_is_one_statement() -> None:
    one = _insert("a")
    _insert("b")
    for read in (lambda: instances.get(one.uuid), lambda: instances.list(ServerSearch("project"))):
        with statements() as seen:
            read()
        assert len(seen) == 1


def test_metadata_is_each_readers_own() -> None:
    uuid = _insert().uuid
    instances.get(uuid).metadata["x"] = "y"
    assert instances.get(uuid).metadata == {"role": "web"}


@pytest.mark.parametrize("uuid", ["foo", "", "x" * 5000, "nul\x00", "\ud800"])
def test_no_such_server(uuid: str) -> None:
    with pytest.raises(exception.InstanceNotFound):
        instances.get(uuid)


def test_another_projects_server_is_not_there() -> None:
    uuid = _insert().uuid
    assert instances.get(uuid, project_id="project").uuid == uuid
    with pytest.raises(exception.InstanceNotFound):
        instances.get(uuid, project_id="other")


def test_get_many() -> None:
    one, two = _insert("a"), _insert("b")
    instances.tombstone(two.uuid)
    assert [each.uuid for each in instances.get_many([one.uuid, two.uuid, "nobody"])] == [one.uuid]
    assert len(instances.get_many([one.uuid, two.uuid], include_deleted=True)) == 2
    assert instances.get_many([]) == []


def test_on_host_and_count() -> None:
    one, two = _insert("a", host="h"), _insert("b", host="h", project_id="other")
    gone, _ = _insert("c", host="h"), _insert("d", host="elsewhere")
    instances.tombstone(gone.uuid)
    assert [each.uuid for each in instances.on_host("h")] == [one.uuid, two.uuid]
    assert (instances.count("project"), instances.count("other"), instances.count()) == (2, 1, 3)


# -- compare and swap -----------------------------------------------------------------------------


def test_update_if_is_as_expected() -> None:
    uuid = _insert(host="h", generation=2).uuid
    wanted = {"task_state": TaskState.PAUSING, "progress": 5}
    assert not instances.update_if(uuid, wanted, vm_state=VmState.STOPPED)
    assert not instances.update_if(uuid, wanted, task_state=(TaskState.PAUSING,))
    assert not instances.update_if(uuid, wanted, host=None)
    assert not instances.update_if(uuid, wanted, generation=3)
    assert not instances.update_if("nobody", wanted)
    assert instances.get(uuid).task_state is None
    assert instances.update_if(
        uuid, wanted, vm_state=("active", "error"), task_state=(None, "x"), host="h", generation=2
    )
    assert (instances.get(uuid).task_state, instances.get(uuid).progress) == ("pausing", 5)
    assert not instances.update_if(uuid, wanted, task_state=None)


def test_update_moves_the_time_and_takes_objects() -> None:
    before = _insert()
    vif = Vif("p", "mac", "n", "net", fixed_ips=(FixedIP("10.9.9.9"),))
    flavor = make_flavor("m1.big", vcpus=7, memory_mb=9000, root_gb=77)
    assert instances.update_if(before.uuid, {"network_info": (vif,), "flavor": flavor, "metadata": {"k": "v"}})
    after = instances.get(before.uuid)
    assert (after.network_info, after.flavor, after.metadata) == ((vif,), flavor, {"k": "v"})
    assert after.updated_at is not None and before.updated_at is not None and after.updated_at > before.updated_at
    assert instances.list(ServerSearch("project", filters={"flavor_id": "m1.big"})) == [after]
    assert instances.list(ServerSearch("project", patterns={"ip": "10.9.9.9"})) == [after]


def test_fields_that_are_not_there_are_refused() -> None:
    uuid = _insert().uuid
    with pytest.raises(ValueError, match="no field flying"):
        instances.update_if(uuid, {"flying": True})
    with pytest.raises(ValueError, match="no field flying"):
        instances.update_if(uuid, {"progress": 1}, flying=True)


def test_deleted_wins() -> None:
    uuid = _insert(host="h").uuid
    assert instances.tombstone(uuid, host="h")
    assert not instances.tombstone(uuid)
    assert not instances.update_if(uuid, {"vm_state": "active"})
    with pytest.raises(exception.InstanceNotFound):
        instances.get(uuid)
    gone = instances.get(uuid, include_deleted=True)
    assert gone.is_deleted and gone.terminated_at == gone.deleted_at
    assert (gone.vm_state, gone.task_state, gone.power_state) == ("deleted", None, 0)
    assert instances.update_if(uuid, {"power_state": 4}, include_deleted=True)


# -- children -------------------------------------------------------------------------------------


def test_tags_are_replaced_and_found() -> None:
    uuid = _insert().uuid
    assert instances.set_tags(uuid, ["red", "red", "late"])
    assert instances.get(uuid).tags == ("red", "late")
    assert len(instances.list(ServerSearch("project", tags_any=("red",)))) == 1
    assert instances.list(ServerSearch("project", tags_any=("blue",))) == []
    assert not instances.set_tags("nobody", ["x"])


def test_the_newest_fault_is_shown_until_cleared() -> None:
    uuid = _insert().uuid
    assert instances.add_fault(uuid, Fault(500, "first"))
    assert instances.update_if(uuid, {"vm_state": "error", "fault": Fault(404, "second", "why", "h", MICRO)})
    assert instances.get(uuid).fault == Fault(404, "second", "why", "h", MICRO)
    assert instances.update_if(uuid, {"fault": None})
    assert instances.get(uuid).fault is None
    assert not instances.add_fault("nobody", Fault(500, "x"))


def test_purge_forgets_the_long_deleted() -> None:
    old, live = _insert("a").uuid, _insert("b").uuid
    instances.add_fault(old, Fault(500, "x"))
    instances.tombstone(old)
    assert instances.purge(datetime.datetime(2020, 1, 1)) == 0
    assert instances.purge(datetime.datetime(2100, 1, 1)) == 1
    assert instances.get(live).uuid == live
    with pytest.raises(exception.InstanceNotFound):
        instances.get(old, include_deleted=True)


def test_equal_flavors_share_one_object() -> None:
    one, two = _insert("a").uuid, _insert("b").uuid
    assert instances.get(one).flavor is instances.get(two).flavor
    assert instances.get(uuid_of("instance a")).uuid == one
