"""Failpoints against the tables they stand for: actions, drivers, RPC interfaces; and what the last run found."""

from __future__ import annotations

import inspect
import json

from nova_lite.compute.actions import ACTIONS, Place
from nova_lite.compute.rpcapi import ComputeRpcAPI
from nova_lite.conductor.rpcapi import ConductorRpcAPI
from nova_lite.scheduler.rpcapi import SchedulerAPI
from nova_lite.virt import driver
from tests.harness.failpoints.points import BACKGROUND_VERBS, POINTS, UNWATCHED, WRITES, Family
from tests.harness.failpoints.results import LIMITS, PUBLISHED
from tests.harness.failpoints.scenarios import SCENARIOS


def test_every_action_that_is_not_the_apis_alone_has_a_scenario() -> None:
    rows = {(row.name, row.driver_call, row.sets_task) for row in ACTIONS if row.place is not Place.API}
    broken = {(each.row.name, each.row.driver_call, each.row.sets_task) for each in SCENARIOS}
    assert rows - broken == set()


def test_names_of_scenarios_are_their_own() -> None:
    assert len({each.name for each in SCENARIOS}) == len(SCENARIOS)


def _methods(kind: type) -> set[str]:
    return {name for name, found in inspect.getmembers(kind, inspect.isfunction) if not name.startswith("_")}


def test_every_call_of_a_driver_is_a_point_or_named_as_none() -> None:
    groups = [kind for _, kind in inspect.getmembers(driver, inspect.isclass) if kind.__name__.endswith("Driver")]
    calls = set[str]().union(*(_methods(kind) for kind in groups))
    assert calls == {*WRITES[Family.DRIVER], *UNWATCHED}
    assert UNWATCHED.isdisjoint(WRITES[Family.DRIVER])


def test_every_verb_of_the_rpc_interfaces_is_a_point_or_named_as_none() -> None:
    verbs = _methods(ConductorRpcAPI) | _methods(ComputeRpcAPI) | _methods(SchedulerAPI)
    assert verbs == {*WRITES[Family.CALL], *WRITES[Family.CAST], *BACKGROUND_VERBS}


def _summary() -> dict[str, dict[str, dict[str, list[int]]]]:
    found: dict[str, dict[str, dict[str, list[int]]]] = json.loads(PUBLISHED.read_text("utf-8"))["cells"]
    return found


def test_every_declared_point_is_passed_by_an_operation_and_no_other() -> None:
    passed = {place.partition("/")[2] for points in _summary().values() for place in points}
    assert passed == POINTS


def test_every_scenario_was_run() -> None:
    assert set(_summary()) == {each.name for each in SCENARIOS}


def test_no_cell_went_badly_but_where_it_is_known_why() -> None:
    bad = {
        operation: f"{kind} at {place}" for operation, points in _summary().items()
        for place, kinds in points.items() for kind, (_, _, _, bad) in kinds.items() if bad
    }  # fmt: skip
    assert {operation: where for operation, where in bad.items() if operation not in LIMITS} == {}
    assert set(bad) == set(LIMITS), "a limit that is none any more"
