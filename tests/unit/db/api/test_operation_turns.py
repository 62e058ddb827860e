"""Whose turn an operation is, on every backend: first takes, retries, handing over, superseding."""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Callable
from typing import Any

import pytest

from nova_lite import exception
from nova_lite.clock import utcnow
from nova_lite.db.api import operations
from nova_lite.db.models import Operation as Model
from nova_lite.objects import Operation, OperationState

pytestmark = pytest.mark.usefixtures("database")
DONE, FAILED = OperationState.DONE, OperationState.FAILED


def _insert(**values: Any) -> int:
    defaults: dict[str, Any] = {
        "request_id": "req-1", "instance_uuid": "i1", "action": "create", "project_id": "p", "user_id": "u",
        "topic": "compute", "host": "h", "args": {"type": "SOFT"}, "timeout_s": 60.0,
    }  # fmt: skip
    return operations.insert_pending(**{**defaults, **values})


def _take(number: int, owner: str = "me", lease_s: float = 30) -> Operation:
    taken = operations.take(number, owner, lease_s, "compute", "h")
    assert taken is not None
    return taken


def test_every_field_is_a_column() -> None:
    fields = {field.name for field in dataclasses.fields(Operation)}
    # How many words were heard is the table's own affair.
    assert {column.name for column in Model.__table__.c} == (fields - {"events"}) | {"said"}


def test_a_first_take_is_no_retry() -> None:
    """MySQL assigns from left to right: the retries must be counted before the state changes."""
    number = _insert()
    taken = _take(number)
    assert (taken.state, taken.owner, taken.attempt, taken.retries) == (OperationState.RUNNING, "me", 1, 0)
    assert operations.take(number, "other", 30, "compute", "h") is None


@pytest.mark.parametrize(("topic", "host"), [("conductor", "h"), ("compute", "other"), ("compute", None)])
def test_only_whose_turn_it_is_takes_it(topic: str, host: str | None) -> None:
    assert operations.take(_insert(), "me", 30, topic, host) is None


def test_a_lease_that_ran_out_is_taken_over_and_counted() -> None:
    number = _insert()
    _take(number, lease_s=-1)
    assert operations.waiting("compute", "h") == [number]
    again = _take(number, "other")
    assert (again.owner, again.attempt, again.retries) == ("other", 2, 1)
    assert operations.waiting("compute", "h") == []
    with pytest.raises(exception.StaleWrite):
        operations.hold(number, 1, message="late")
    operations.hold(number, 2, message="on time")
    assert operations.get(number).message == "on time"


def test_waiting_is_by_topic_host_and_age() -> None:
    old, other, conductor = _insert(), _insert(host="other"), _insert(topic="conductor", host=None)
    _take(_insert())
    assert operations.waiting("compute", "h") == [old]
    assert operations.waiting("compute") == [old, other]
    assert operations.waiting("conductor") == [conductor]
    assert operations.waiting("compute", "h", utcnow() - datetime.timedelta(seconds=9)) == []


def test_leases_are_renewed_by_their_owner_only() -> None:
    mine, lost = _insert(), _insert()
    before = _take(mine).lease_until
    _take(lost, "other")
    assert operations.renew("me", [mine, lost, 10**6], 60) == sorted([lost, 10**6])
    after = operations.get(mine).lease_until
    assert before is not None and after is not None and after > before


def test_a_daemons_former_life_is_freed() -> None:
    former, present, neighbour = _insert(), _insert(), _insert()
    for number, owner in ((former, "b:h:1"), (present, "b:h:2"), (neighbour, "b:h2:1")):
        _take(number, owner)
    assert operations.release_former("b:h", "b:h:2") == 1
    found = operations.get(former)
    assert (found.state, found.owner, found.retries) == (OperationState.PENDING, None, 1)
    assert operations.get(present).owner == "b:h:2"


def test_handing_over_ends_the_turn() -> None:
    number = _insert()
    operations.hand_over(number, _take(number).attempt, "conductor", None, {"next": 1})
    found = operations.get(number)
    assert (found.topic, found.host, found.attempt, found.args) == ("conductor", None, 2, {"next": 1})
    with pytest.raises(exception.StaleWrite):
        operations.finish(number, 1, DONE)


def test_the_end_closes_the_events() -> None:
    number = _insert()
    taken = _take(number)
    operations.start_event(number, "first", "h")
    operations.finish_event(number, "first", "Success")
    operations.start_event(number, "second", "h")
    operations.finish(number, taken.attempt, FAILED, "broken")
    found = operations.get_by_request_id("i1", "req-1")
    assert (found.state, found.message, found.lease_until) == (FAILED, "broken", None)
    assert [(each.name, each.result) for each in found.events] == [("first", "Success"), ("second", "Error")]
    assert all(each.finish_time is not None for each in found.events)


def test_what_supersedes_ends_the_others() -> None:
    running, pending, kept, foreign = _insert(), _insert(), _insert(), _insert(instance_uuid="i2")
    attempt = _take(running).attempt
    assert operations.end_open("i1", "superseded", but=kept) == [running, pending]
    assert [each.id for each in operations.open_for_instance("i1")] == [kept]
    assert operations.get(foreign).state is OperationState.PENDING
    with pytest.raises(exception.StaleWrite):
        operations.hold(running, attempt)


def test_seized_once() -> None:
    number = _insert()
    taken = _take(number)
    assert operations.seize(taken, "conductor")
    assert not operations.seize(taken, "conductor")
    found = operations.get(number)
    assert (found.topic, found.host, found.attempt, found.args) == ("conductor", None, 2, {"type": "SOFT"})


@pytest.mark.parametrize("leave", [
    lambda taken: operations.pause(taken.id, taken.attempt, 0, "later"),
    lambda taken: operations.finish(taken.id, taken.attempt, DONE),
    lambda taken: operations.hand_over(taken.id, taken.attempt, "conductor", None, {}),
], ids=["put down", "ended", "passed on"])  # fmt: skip
def test_who_left_it_writes_no_more(leave: Callable[[Operation], None]) -> None:
    taken = _take(_insert())
    leave(taken)
    before = operations.get(taken.id)
    with pytest.raises(exception.StaleWrite):
        operations.hold(taken.id, taken.attempt, message="late")
    assert operations.get(taken.id) == before


def test_what_moved_meanwhile_is_not_seized() -> None:
    """It waits again, as it did when it was seen: only the attempt tells the difference."""
    number = _insert()
    seen = operations.get(number)
    operations.pause(number, _take(number).attempt, 0, "later")
    assert not operations.seize(seen, "conductor")
    taken = _take(number)
    operations.finish(number, taken.attempt, DONE)
    assert not operations.seize(taken, "conductor"), "it has ended"
    assert operations.get(number).state is DONE


def test_only_who_holds_it_puts_it_down() -> None:
    first = _take(_insert(), lease_s=-1)
    second = _take(first.id, "other")
    with pytest.raises(exception.StaleWrite):
        operations.pause(first.id, first.attempt, 60, "late")
    assert operations.get(first.id).attempt == second.attempt
    assert operations.get(first.id).state is OperationState.RUNNING


def test_what_is_given_up_is_as_it_was_seen() -> None:
    seen = _take(_insert(), lease_s=-1)
    now = _take(seen.id, "other")
    with pytest.raises(exception.StaleWrite):
        operations.give_up(seen, "it moved meanwhile")
    operations.finish(now.id, now.attempt, DONE)
    with pytest.raises(exception.StaleWrite):
        operations.give_up(now, "it ended meanwhile")
    assert operations.get(now.id).state is DONE


def test_who_works_on_what_is_given_up_is_overtaken() -> None:
    taken = _take(_insert(action="changePassword", args={"admin_password": "s3cret"}))
    operations.give_up(taken, "too late")
    found = operations.get(taken.id)
    assert (found.state, found.message, found.args) == (FAILED, "too late", {})
    assert found.attempt > taken.attempt and found.finish_time is not None
    with pytest.raises(exception.StaleWrite):
        operations.hold(taken.id, taken.attempt)


def test_what_supersedes_spares_what_it_is_told_to_and_what_has_ended() -> None:
    spared, ended, other = _insert(action="attach_volume"), _insert(), _insert()
    operations.finish(ended, _take(ended).attempt, DONE)
    assert operations.end_open("i1", "superseded", spare=("attach_volume",)) == [other]
    assert [each.id for each in operations.open_for_instance("i1")] == [spared]
    assert operations.get(ended).state is DONE


def test_a_superseded_password_is_forgotten() -> None:
    number = _insert(action="changePassword", args={"admin_password": "s3cret"})
    operations.end_open("i1", "superseded")
    assert operations.get(number).args == {}


def test_overdue_and_open_on_hosts() -> None:
    late, fine = _insert(timeout_s=-1), _insert()
    _insert(timeout_s=-1, state=DONE)
    _insert(timeout_s=None, topic="conductor", host=None)
    assert [each.id for each in operations.overdue()] == [late]
    assert [each.id for each in operations.open_on_hosts("compute")] == [late, fine]
