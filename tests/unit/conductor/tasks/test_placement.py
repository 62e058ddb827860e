"""Asking the scheduler: its answer, or a rest for the operation when none comes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from nova_lite import exception
from nova_lite.conductor.tasks import placement
from nova_lite.context import admin_context
from nova_lite.db.api import instances, operations
from nova_lite.objects import Instance, Operation, OperationState, Placement, RequestSpec
from tests.harness.database import fresh_database, make_instance


@pytest.fixture(autouse=True)
def database() -> Iterator[None]:
    with fresh_database():
        yield


class Scheduler:
    """Answers what it was given, or raises it."""

    def __init__(self, answer: Placement | Exception) -> None:
        self._answer = answer

    def select_destinations(self, ctxt: Any, specs: list[RequestSpec], alternates: int) -> list[Placement]:
        if isinstance(self._answer, Exception):
            raise self._answer
        return [self._answer]


def _taken() -> tuple[Operation, Instance]:
    instance = instances.insert(make_instance())
    number = operations.insert_pending(
        request_id="r", instance_uuid=instance.uuid, action="create", project_id="p", user_id="u", topic="conductor",
        host=None, args={"ignore_hosts": ["b"], "force_host": "a"}, timeout_s=9,
    )  # fmt: skip
    operation = operations.take(number, "me", 60, "conductor", None)
    assert operation is not None
    return operation, instance


def _ask(operation: Operation, instance: Instance, answer: Placement | Exception) -> Placement | None:
    spec = placement.request_spec(operation, instance)
    return placement.ask(Scheduler(answer), admin_context(), operation, spec)  # type: ignore[arg-type]


def test_the_question_is_the_servers_and_the_operations() -> None:
    operation, instance = _taken()
    spec = placement.request_spec(operation, instance)
    assert (spec.instance_uuid, spec.ignore_hosts, spec.force_host) == (instance.uuid, ("b",), "a")


def test_an_answer_is_given_on_and_changes_nothing() -> None:
    operation, instance = _taken()
    answer = Placement(instance.uuid)
    assert _ask(operation, instance, answer) is answer
    assert operations.get(operation.id).state is OperationState.RUNNING


def test_without_a_scheduler_the_operation_rests() -> None:
    operation, instance = _taken()
    assert _ask(operation, instance, exception.Unavailable("none")) is None
    resting = operations.get(operation.id)
    assert (resting.state, resting.message) == (OperationState.PENDING, "No scheduler answered.")
    assert resting.lease_until is not None and operations.take(operation.id, "me", 60, "conductor", None) is None


def test_who_was_overtaken_puts_nothing_down() -> None:
    operation, instance = _taken()
    operations.end_open(instance.uuid, "something stronger")
    with pytest.raises(exception.StaleWrite):
        _ask(operation, instance, exception.Unavailable("none"))
