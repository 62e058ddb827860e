"""What counts as poison, and when: what a newer daemon may understand is left to it for a while."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from sqlalchemy import text

from nova_lite import exception, quota
from nova_lite.conductor import arrivals, moves, poison
from nova_lite.db import clock
from nova_lite.db.api import allocations, compute_nodes, instances, migrations, operations
from nova_lite.db.session import reader, writer
from nova_lite.objects import Migration, MigrationType
from nova_lite.objects.flavor import quota_counts
from tests.harness.builders import make_node
from tests.harness.database import make_instance

pytestmark = pytest.mark.usefixtures("database")


def _operation(action: str = "stop", timeout_s: float | None = 90, **server: Any) -> tuple[int, str]:
    uuid = instances.insert(make_instance(host="h", node="h", **server)).uuid
    number = operations.insert_pending(
        request_id="r", instance_uuid=uuid, action=action, project_id="p", user_id="u", topic="compute", host="h",
        args={}, timeout_s=timeout_s,
    )  # fmt: skip
    return number, uuid


def _sql(statement: str, **values: Any) -> None:
    with writer() as session:
        session.execute(text(statement), values)


def _state(number: int) -> str:
    with reader() as session:
        return str(session.execute(text("SELECT state FROM operations WHERE id = :id"), {"id": number}).scalar_one())


@pytest.mark.parametrize(("column", "value"), [("args", "{"), ("steps", "{}"), ("state", "lost")])
def test_what_cannot_be_read_ends_at_once(column: str, value: str) -> None:
    number, _ = _operation()
    _sql(f"UPDATE operations SET {column} = :value WHERE id = :id", id=number, value=value)
    assert poison.sweep() == 1
    assert _state(number) == "failed"


@pytest.mark.parametrize(("timeout_s", "ends"), [(90, "pending"), (-1, "failed")])
def test_an_action_that_nobody_knows_is_left_until_its_deadline(timeout_s: float, ends: str) -> None:
    number, _ = _operation("teleport", timeout_s=timeout_s)
    poison.sweep()
    assert _state(number) == ends


@pytest.mark.parametrize(("minutes", "ends"), [(1, "pending"), (60, "failed")])
def test_where_nothing_says_by_when_it_is_left_for_a_while(minutes: int, ends: str) -> None:
    number, _ = _operation("teleport", timeout_s=None)
    before = clock.now() - datetime.timedelta(minutes=minutes)
    _sql("UPDATE operations SET start_time = :at WHERE id = :id", at=before, id=number)
    poison.sweep()
    assert _state(number) == ends


@pytest.mark.parametrize(("timeout_s", "ends"), [(90, "pending"), (-1, "failed")])
def test_a_server_that_nobody_can_read_ends_what_is_late(timeout_s: float, ends: str) -> None:
    number, uuid = _operation(timeout_s=timeout_s)
    _sql("UPDATE instances SET flavor = '{' WHERE uuid = :uuid", uuid=uuid)
    poison.sweep()
    assert _state(number) == ends


def test_what_is_only_late_is_the_deadlines_to_end() -> None:
    number, _ = _operation(timeout_s=-1)
    gone, uuid = _operation(timeout_s=-1, name="gone")
    instances.tombstone(uuid)
    assert poison.sweep() == 0
    assert (_state(number), _state(gone)) == ("pending", "pending")


@pytest.mark.parametrize(("action", "task", "then"), [
    ("stop", "powering-off", ("active", None)),  # its row says that a failure changes nothing
    ("rebuild", "rebuilding", ("error", None)),
    ("attach_volume", "powering-off", ("active", "powering-off")),  # the task is somebody else's
    ("teleport", "powering-off", ("error", None)),  # nobody knows what it did to a server that it had
    ("teleport", None, ("active", None)),
])  # fmt: skip
def test_its_server_is_freed_as_far_as_it_had_it(action: str, task: str | None, then: tuple[str, str | None]) -> None:
    number, uuid = _operation(action, vm_state="active", task_state=task)
    assert poison.end(number, uuid, action, "nobody can read it.")
    server = instances.get(uuid)
    assert (server.vm_state, server.task_state) == then
    assert server.fault is not None and server.fault.message == "Given up: nobody can read it."


def _claimed(uuid: str, host: str) -> None:
    node = compute_nodes.upsert(make_node(host))
    assert allocations.claim(node.uuid, uuid, 1, 64, 0)


def _held(uuid: str) -> list[str]:
    hosts = {node.uuid: node.host for node in compute_nodes.list_all()}
    return [hosts[claim.node_uuid] for claim in allocations.of_instance(uuid)]


def _move(number: int, uuid: str, kind: MigrationType, status: str, dest: str | None) -> Migration:
    """The server's move, whose claim is on h, where it comes from; what is planned is claimed at ``dest``."""
    _claimed(uuid, "h")
    move = moves.begin(operations.get(number), instances.get(uuid), kind)
    if dest is not None:
        assert moves.plan(move, dest, dest, status=status)
        _claimed(uuid, dest)
    return move


def _beside(uuid: str) -> list[dict[str, Any]]:
    return [each.args for each in operations.open_for_instance(uuid) if each.action == "settle"]


@pytest.mark.parametrize(("status", "dest", "then", "settles"), [
    ("pre-migrating", None, "active", 0), ("migrating", "i", "error", 1), ("migrating", "h", "error", 0),
])  # fmt: skip
def test_a_move_ends_and_holds_nothing(status: str, dest: str | None, then: str, settles: int) -> None:
    """On one host nobody knows which disks are whole: all stay, and its server is in error."""
    number, uuid = _operation("migrate", vm_state="active", task_state="resize_migrating")
    move = _move(number, uuid, MigrationType.MIGRATION, status, dest)
    assert poison.end(number, uuid, "migrate", "nobody can read it.")
    server = instances.get(uuid)
    assert (server.host, server.vm_state, server.task_state) == ("h", then, None)
    assert migrations.open_of(uuid) is None and allocations.of_instance(move.uuid) == [] and _held(uuid) == ["h"]
    assert len(_beside(uuid)) == settles


def test_the_guest_of_a_live_migration_is_looked_for() -> None:
    number, uuid = _operation("live-migration", vm_state="active", task_state="migrating")
    move = _move(number, uuid, MigrationType.LIVE, "running", "i")
    assert poison.end(number, uuid, "live-migration", "nobody can read it.")
    assert migrations.open_of(uuid) is None and allocations.of_instance(move.uuid) == [] and _held(uuid) == ["h"]
    (settle,) = _beside(uuid)
    assert settle["undecided"] and settle["sides"] == ["h", "i"]
    assert arrivals.is_undecided(instances.get(uuid))


def test_an_evacuation_ends_and_holds_nothing() -> None:
    number, uuid = _operation("evacuate", vm_state="active", task_state="rebuilding")
    move = _move(number, uuid, MigrationType.EVACUATION, "pre-migrating", "i")
    assert poison.end(number, uuid, "evacuate", "nobody can read it.")
    assert instances.get(uuid).vm_state == "error"
    assert migrations.open_of(uuid) is None and allocations.of_instance(move.uuid) == [] and _held(uuid) == ["h"]
    assert [each["sides"] for each in _beside(uuid)] == [["i"]]


def test_a_restore_gives_its_quota_back() -> None:
    number, uuid = _operation("restore", vm_state="soft-delete", task_state="restoring")
    quota.reserve("project", quota_counts([instances.get(uuid).flavor]))
    assert poison.end(number, uuid, "restore", "nobody can read it.")
    assert instances.get(uuid).vm_state == "soft-delete" and quota.usage("project")["instances"] == 0


def test_a_server_that_was_being_unshelved_is_on_its_shelf_and_on_no_host() -> None:
    number, uuid = _operation("unshelve", vm_state="shelved_offloaded", task_state="unshelving")
    _claimed(uuid, "h")
    assert poison.end(number, uuid, "unshelve", "nobody can read it.")
    assert instances.get(uuid).host is None and _held(uuid) == []
    assert [each["left"] for each in _beside(uuid)] == ["h"]


def test_a_build_that_no_conductor_came_to_write_down_holds_nothing() -> None:
    number, uuid = _operation("create", vm_state="building", task_state="scheduling")
    instances.update_if(uuid, {"host": None, "node": None})
    _claimed(uuid, "h")
    assert poison.end(number, uuid, "create", "nobody can read it.")
    assert instances.get(uuid).vm_state == "error" and _held(uuid) == []


def test_what_its_unreadable_server_holds_stays() -> None:
    number, uuid = _operation("migrate", vm_state="active", task_state="resize_migrating")
    move = _move(number, uuid, MigrationType.MIGRATION, "migrating", "i")
    _sql("UPDATE instances SET flavor = '{' WHERE uuid = :uuid", uuid=uuid)
    assert poison.end(number, uuid, "migrate", "nobody can read it.")
    assert _state(number) == "failed" and migrations.get(move.uuid).is_open


def test_what_has_ended_changes_no_server() -> None:
    number, uuid = _operation(vm_state="active", task_state="powering-off")
    operations.end_open(uuid, "superseded")
    before = instances.get(uuid)
    assert not poison.end(number, uuid, "stop", "nobody can read it.")
    assert instances.get(uuid) == before


def test_who_cannot_read_it_leaves_it_alone_for_a_while() -> None:
    number, _ = _operation("teleport")
    later = clock.now() + datetime.timedelta(days=1)
    assert operations.waiting("compute", "h", later) == [number]
    poison.shun(number, exception.UnreadableObject(what="it", why="it is new"))
    assert operations.waiting("compute", "h", later) == []
