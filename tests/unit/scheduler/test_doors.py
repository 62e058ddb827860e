"""The doors: api asks again when an answer was lost; rpcapi and manager say the same."""

from __future__ import annotations

import inspect
from typing import Any

import pytest

from nova_lite import exception
from nova_lite.context import admin_context
from nova_lite.manager import RESERVED
from nova_lite.objects import Placement, RequestSpec
from nova_lite.scheduler.api import API
from nova_lite.scheduler.manager import SchedulerManager
from nova_lite.scheduler.rpcapi import SchedulerAPI
from tests.harness.builders import make_spec


class _Wire:
    """An rpcapi whose first so many answers are lost."""

    def __init__(self, lost: int = 0) -> None:
        self.lost = lost
        self.asked: list[tuple[list[RequestSpec], int]] = []

    def select_destinations(self, ctxt: Any, specs: list[RequestSpec], alternates: int) -> list[Placement]:
        self.asked.append((specs, alternates))
        if len(self.asked) <= self.lost:
            raise exception.CallTimeout(topic="scheduler", method="select_destinations", timeout_s=1, host=None)
        return [Placement(spec.instance_uuid) for spec in specs]


def _ask(wire: _Wire, **values: Any) -> list[Placement]:
    return API(wire, max_attempts=3).select_destinations(admin_context(), [make_spec()], **values)  # type: ignore[arg-type]


def test_as_many_alternates_as_attempts_are_left() -> None:
    wire = _Wire()
    _ask(wire)
    _ask(wire, alternates=0)
    assert [alternates for _, alternates in wire.asked] == [2, 0]


def test_a_lost_answer_is_asked_for_once_more() -> None:
    wire = _Wire(lost=1)
    assert [each.instance_uuid for each in _ask(wire)] == [make_spec().instance_uuid]
    assert wire.asked[0] == wire.asked[1]


def test_two_lost_answers_are_the_callers_to_know() -> None:
    wire = _Wire(lost=9)
    with pytest.raises(exception.CallTimeout):
        _ask(wire)
    assert len(wire.asked) == 2


def _verbs(cls: type, but: frozenset[str] = frozenset()) -> dict[str, inspect.Signature]:
    return {
        name: inspect.signature(method)
        for name, method in inspect.getmembers(cls, inspect.isfunction)
        if not name.startswith("_") and name not in but
    }


def test_the_wire_door_and_the_manager_have_the_same_verbs() -> None:
    assert _verbs(SchedulerAPI) == _verbs(SchedulerManager, RESERVED)


def test_every_verb_is_in_the_version_history() -> None:
    history = inspect.getmodule(SchedulerAPI).__doc__ or ""  # type: ignore[union-attr]
    assert all(verb in history for verb in _verbs(SchedulerAPI))
