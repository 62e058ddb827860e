"""What is forgotten of operations, and what never is."""

from __future__ import annotations

import datetime
from collections.abc import Iterator

import pytest
from sqlalchemy import func, select

from nova_lite import exception
from nova_lite.clock import utcnow
from nova_lite.db.api import instances, operation_retention, operations
from nova_lite.db.api.operation_rows import EVENTS
from nova_lite.db.session import reader
from nova_lite.objects import OperationState
from tests.harness.database import fresh_database, make_instance

SOON, LONG_AGO = datetime.timedelta(days=1), datetime.timedelta(days=-1)


@pytest.fixture(autouse=True)
def database() -> Iterator[None]:
    with fresh_database():
        yield


def _operation(instance_uuid: str, *, ended: bool = True) -> int:
    number = operations.insert_pending(
        request_id="r", instance_uuid=instance_uuid, action="stop", project_id="p", user_id="u", topic="compute",
        host="h", args={}, timeout_s=300,
    )  # fmt: skip
    if ended:
        taken = operations.take(number, "me", 20, "compute", "h")
        assert taken is not None
        operations.start_event(number, "step", "h")
        operations.finish(number, taken.attempt, OperationState.DONE)
    return number


def _events() -> int:
    with reader() as session:
        return int(session.execute(select(func.count()).select_from(EVENTS)).scalar_one())


def test_ended_operations_of_forgotten_servers_are_forgotten_and_no_others() -> None:
    alive = instances.insert(make_instance())
    kept, open_, gone = _operation(alive.uuid), _operation("gone", ended=False), _operation("gone")
    assert operation_retention.purge(utcnow() + LONG_AGO) == 0
    assert operation_retention.purge(utcnow() + SOON) == 1
    assert operations.get(kept) and operations.get(open_)
    assert _events() == 1
    with pytest.raises(exception.NotFound):
        operations.get(gone)


def test_a_server_that_lives_long_keeps_its_newest_operations_and_every_open_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(operation_retention, "MOST_KEPT", 3)
    busy, idle = instances.insert(make_instance("busy")), instances.insert(make_instance("idle"))
    waits = _operation(busy.uuid, ended=False)
    many = [_operation(busy.uuid) for _ in range(5)]
    few = [_operation(idle.uuid) for _ in range(3)]
    assert operation_retention.purge(utcnow() + LONG_AGO) == 0
    assert operation_retention.purge(utcnow() + SOON, limit=1) == 1
    assert operation_retention.purge(utcnow() + SOON) == 1
    assert operation_retention.purge(utcnow() + SOON) == 0
    assert [each.id for each in operations.list_for_instance(busy.uuid)] == [*reversed(many[2:]), waits]
    assert len(operations.list_for_instance(idle.uuid)) == len(few)
    assert _events() == 6


def test_long_histories_that_are_young_keep_nobody_from_his_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(operation_retention, "MOST_KEPT", 1)
    for number in range(101):
        young = instances.insert(make_instance(f"young {number}"))
        _operation(young.uuid, ended=False)
        _operation(young.uuid, ended=False)
    old = instances.insert(make_instance("old"))
    gone, kept = _operation(old.uuid), _operation(old.uuid)
    assert operation_retention.purge(utcnow() + SOON) == 1
    assert operations.get(kept)
    with pytest.raises(exception.NotFound):
        operations.get(gone)
