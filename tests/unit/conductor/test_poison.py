"""What counts as poison, and when: what a newer daemon may understand is left to it for a while."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import text

from nova_lite import exception
from nova_lite.conductor import poison
from nova_lite.db import clock
from nova_lite.db.api import instances, operations
from nova_lite.db.session import reader, writer
from tests.harness.database import fresh_database, make_instance


@pytest.fixture(autouse=True)
def database() -> Iterator[None]:
    with fresh_database():
        yield


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
