"""The journal: one worker at a time, every write fenced by its attempt."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from typing import Any

import pytest

from nova_lite import exception
from nova_lite.clock import utcnow
from nova_lite.db.api import operations
from nova_lite.objects import OperationState
from tests.harness.database import fresh_database


@pytest.fixture(autouse=True)
def database() -> Iterator[None]:
    with fresh_database():
        yield


def _open(**values: Any) -> int:
    defaults: dict[str, Any] = {
        "request_id": "req-1", "instance_uuid": "server", "action": "stop", "project_id": "p", "user_id": "u",
        "topic": "compute", "host": "h", "args": {"a": 1}, "timeout_s": 300,
    }  # fmt: skip
    return operations.insert_pending(**{**defaults, **values})


def _take(number: int, owner: str = "me", lease_s: float = 20, **place: Any) -> Any:
    return operations.take(number, owner, lease_s, place.get("topic", "compute"), place.get("host", "h"))


def test_one_worker_takes_it_and_a_second_message_finds_nothing() -> None:
    number = _open()
    taken = _take(number)
    assert (taken.state, taken.owner, taken.attempt, taken.retries) == (OperationState.RUNNING, "me", 1, 0)
    assert taken.args == {"a": 1}
    assert _take(number) is None and _take(number, "other") is None


def test_only_the_place_it_waits_for_may_take_it() -> None:
    number = _open()
    assert _take(number, host="elsewhere") is None
    assert _take(number, topic="conductor", host=None) is None
    assert _take(number) is not None


def test_a_lease_that_ran_out_lets_another_in_and_the_first_out() -> None:
    number = _open()
    first = _take(number, lease_s=-1)
    second = _take(number, "other")
    assert (second.attempt, second.retries) == (2, 1)
    with pytest.raises(exception.StaleWrite):
        operations.hold(number, first.attempt)
    with pytest.raises(exception.StaleWrite):
        operations.finish(number, first.attempt, OperationState.DONE)
    operations.finish(number, second.attempt, OperationState.DONE)


def test_heartbeats_renew_what_is_held_and_tell_what_is_lost() -> None:
    held, lost = _open(), _open()
    _take(held, lease_s=0.5)
    _take(lost, lease_s=-1)
    _take(lost, "other")
    assert operations.renew("me", [held, lost], 100) == [lost]
    assert operations.get(held).lease_until > utcnow() + datetime.timedelta(seconds=50)
    assert operations.renew("me", [], 100) == []


def test_a_daemon_that_starts_anew_frees_what_its_former_life_held() -> None:
    mine, others = _open(), _open()
    _take(mine, "nova-lite-compute:h:old")
    _take(others, "nova-lite-compute:h2:old")
    assert operations.release_former("nova-lite-compute:h", "nova-lite-compute:h:new") == 1
    again = _take(mine, "nova-lite-compute:h:new")
    assert (again.attempt, again.retries) == (2, 1)
    assert _take(others, "x") is None


def test_passing_on_fences_the_one_who_passed() -> None:
    number = _open(topic="conductor", host=None)
    taken = _take(number, topic="conductor", host=None)
    operations.hand_over(number, taken.attempt, "compute", "h", {"b": 2})
    with pytest.raises(exception.StaleWrite):
        operations.hold(number, taken.attempt)
    passed = _take(number)
    assert passed.args == {"b": 2} and passed.retries == 0


def test_what_is_put_down_rests_before_anybody_may_take_it() -> None:
    number = _open()
    operations.pause(number, _take(number).attempt, 60, "the disk is full")
    assert _take(number) is None and operations.waiting("compute", "h") == []
    assert operations.get(number).message == "the disk is full"
    other = _open()
    operations.pause(other, _take(other).attempt, -1, "briefly")
    assert operations.waiting("compute", "h") == [other]
    assert _take(other).retries == 0


def test_a_turn_that_was_put_down_did_not_go_well() -> None:
    """However the operation ends later: its event says when it was put down, and why."""
    number = _open()
    for why in ("the disk is full", None):
        taken = _take(number)
        operations.start_event(number, "compute_delete", "h")
        if why is not None:
            operations.pause(number, taken.attempt, -1, why)
    operations.finish(number, taken.attempt, OperationState.DONE)
    first, second = operations.events_of(number)
    assert (first.result, first.details) == ("Error", "the disk is full")
    assert (second.result, second.details) == ("Success", None)
    assert first.finish_time is not None and first.finish_time <= second.start_time


def test_what_waits_is_found_by_topic_host_and_age() -> None:
    number = _open()
    assert operations.waiting("compute", "h") == [number]
    assert operations.waiting("compute", "other") == [] and operations.waiting("conductor") == []
    assert operations.waiting("compute", "h", utcnow() - datetime.timedelta(seconds=60)) == []
    _take(number, lease_s=-1)
    assert operations.waiting("compute", "h", utcnow() - datetime.timedelta(seconds=60)) == [number]


def test_the_stronger_ends_what_is_open_and_fences_its_workers() -> None:
    number, stronger, foreign = _open(), _open(action="delete"), _open(instance_uuid="another")
    taken = _take(number)
    operations.start_event(number, "compute_stop_instance", "h")
    assert operations.end_open("server", "superseded", but=stronger) == [number]
    ended = operations.get_by_request_id("server", "req-1")
    assert operations.get(number).state is OperationState.FAILED and operations.get(number).message == "superseded"
    assert ended.id == stronger and operations.get(foreign).state is OperationState.PENDING
    with pytest.raises(exception.StaleWrite):
        operations.finish(number, taken.attempt, OperationState.DONE)


def test_events_are_opened_closed_and_shown_in_order() -> None:
    number = _open()
    attempt = _take(number).attempt
    operations.start_event(number, "first", "h")
    operations.finish_event(number, "first", "Success", details="fine")
    operations.start_event(number, "second", "h")
    operations.finish(number, attempt, OperationState.FAILED, "broken")
    shown = operations.get_by_request_id("server", "req-1")
    assert [(e.name, e.result, e.details) for e in shown.events] == [
        ("first", "Success", "fine"), ("second", "Error", None),
    ]  # fmt: skip
    assert all(e.finish_time for e in shown.events)


def test_deadlines() -> None:
    late, never = _open(timeout_s=-1), _open(timeout_s=None)
    assert [operation.id for operation in operations.overdue()] == [late]
    assert operations.get(never).deadline is None


def test_seizing_takes_it_from_whoever_holds_it_unless_it_moved() -> None:
    number = _open()
    before = operations.get(number)
    taken = _take(number)
    assert not operations.seize(before, "conductor")
    assert operations.seize(taken, "conductor", {"c": 3})
    with pytest.raises(exception.StaleWrite):
        operations.hold(number, taken.attempt)
    assert operations.take(number, "c", 5, "conductor", None).args == {"c": 3}


def test_an_end_that_was_not_heard_is_recognised() -> None:
    number = _open()
    attempt = _take(number).attempt
    assert not operations.ended_by(number, attempt)
    operations.finish(number, attempt, OperationState.DONE)
    assert operations.ended_by(number, attempt) and not operations.ended_by(number, attempt + 1)


def test_what_is_not_there_says_so() -> None:
    with pytest.raises(exception.NotFound):
        operations.get(4711)
    with pytest.raises(exception.NotFound, match="req-x"):
        operations.get_by_request_id("server", "req-x")
