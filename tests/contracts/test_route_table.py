"""The table of routes against the contract's api.yaml: calls, versions, success codes, policies; and against itself."""

from __future__ import annotations

import re
from typing import Any

import pytest

from nova_lite import policies
from nova_lite.api.openstack import microversions
from nova_lite.api.openstack.microversions import MAX, MIN, VERSIONS, Microversion, at
from nova_lite.api.openstack.routes import ROUTES, Route
from tests.harness.contract import material

try:
    OPERATIONS = material.operations()
except material.ContractMissing as error:
    pytest.skip(str(error), allow_module_level=True)

RULES = {rule.name for rule in policies.all_rules()}
KEPT = [route for route in ROUTES if not route.handler.startswith(("retired:", "beyond:"))]


# What Nova has not, each with the reason to have it; it stands apart by the name of its handler.
BEYOND = {"GET /servers/{server_id}/scheduling": "the scheduler's verdict, for administrators (issue 3, point 7)"}


def _operation(route: Route) -> str:
    return f"{route.method} {route.path}" + (f" action {route.action}" if route.action else "")


def _ids(route: Route) -> str:
    return _operation(route)


def _named(path: str) -> str:
    """A path whose parameters have no names: the contract's names are not ours."""
    return re.sub(r"\{\w+\}", "{}", path)


def _entries(route: Route) -> list[dict[str, Any]]:
    wanted = (route.method, _named(route.path), route.action)
    return [
        entry for entry in OPERATIONS.values()
        if (entry["method"], _named(entry["path"]), entry.get("action")) == wanted and "mount" not in entry
    ]  # fmt: skip


# Version discovery below /v2.1: in the contract it is mounted at the root.
DISCOVERY = {"api_versions:own", "api_versions:index", "api_versions:show"}


@pytest.mark.parametrize("route", KEPT, ids=_ids)
def test_every_route_is_in_the_contract_at_its_versions(route: Route) -> None:
    if route.handler in DISCOVERY:
        return
    entries = _entries(route)
    assert entries, "the contract knows no such call"
    since = min(at(entry["min_microversion"] or "2.1") for entry in entries)
    ends = [entry["max_microversion"] for entry in entries]
    until = None if None in ends else max(at(end) for end in ends)
    assert route.since == since
    assert route.until == (until if until and until < MAX else None)


@pytest.mark.parametrize("route", KEPT, ids=_ids)
def test_success_codes_are_the_contracts(route: Route) -> None:
    for version in (at(each.number) for each in VERSIONS):
        if not route.valid_at(version) or route.handler in DISCOVERY:
            continue
        expected = {code for entry in _entries(route) for code in _codes(entry, version)}
        assert _status(route, version) in expected, version


def _codes(entry: dict[str, Any], version: Microversion) -> set[int]:
    return {
        each["code"] for each in entry["success"]
        if at(each.get("from", "2.1")) <= version <= at(str(each.get("to", "2.999")))
    }  # fmt: skip


def _status(route: Route, version: Microversion) -> int:
    return route.status if isinstance(route.status, int) else route.status.at(version)


@pytest.mark.parametrize("route", KEPT, ids=_ids)
def test_policies_are_registered_and_the_contracts(route: Route) -> None:
    if route.policy is None:
        return
    assert route.policy in RULES
    named = {entry.get("policy") for entry in _entries(route)} - {None}
    assert not named or route.policy in named


def test_what_is_beyond_nova_is_named_and_hides_nothing() -> None:
    ours = [route for route in ROUTES if route.handler.startswith("beyond:")]
    assert {_operation(route) for route in ours} == BEYOND.keys()
    for route in ours:
        assert _entries(route) == []
        assert route.policy is not None and route.policy.startswith("os_compute_api:nova-lite:")


def test_the_first_tier_is_complete() -> None:
    routed = {(route.method, _named(route.path), route.action) for route in KEPT}
    missing = [
        entry["id"] for entry in OPERATIONS.values()
        if entry["tier"] == "T1" and "mount" not in entry
        and (entry["method"], _named(entry["path"]), entry.get("action")) not in routed
    ]  # fmt: skip
    assert missing == []


def test_what_nova_removed_is_retired() -> None:
    retired = {
        (route.method, _named(route.path), route.action): route.handler
        for route in ROUTES if route.handler.startswith("retired:")
    }  # fmt: skip
    missing = [
        entry["id"] for entry in OPERATIONS.values()
        if "410" in str(entry.get("why_t4", ""))
        and "retired:gone" not in retired.get((entry["method"], _named(entry["path"]), entry.get("action")), "")
    ]  # fmt: skip
    assert missing == []


def test_no_two_routes_hold_at_once() -> None:
    for number, one in enumerate(ROUTES):
        for other in ROUTES[number + 1 :]:
            if (one.method, one.path, one.action) != (other.method, other.path, other.action):
                continue
            overlap = max(one.since, other.since) <= min(one.until or MAX, other.until or MAX)
            assert not overlap, f"{_operation(one)}: two rows"


def test_microversions_are_one_unbroken_line_to_the_promised_maximum() -> None:
    assert [each.number for each in VERSIONS] == [f"2.{number}" for number in range(1, 105)]
    assert (str(MIN), str(MAX)) == ("2.1", "2.104")
    assert all(each.text.endswith(".") for each in VERSIONS)


def test_behaviours_have_names_within_the_range() -> None:
    named = {name: value for name, value in vars(microversions).items() if isinstance(value, Microversion)}
    assert len(named) > 10
    assert all(MIN <= value <= MAX for value in named.values())


def test_policy_rules_are_used_or_built_upon() -> None:
    """A rule that nobody asks promises a protection that is not there."""
    from pathlib import Path

    root = Path(policies.__file__).parents[1]
    code = "\n".join(
        path.read_text(encoding="utf-8") for path in root.rglob("*.py")
        if "policies" not in path.relative_to(root).parts
    )  # fmt: skip
    asked = {route.policy for route in ROUTES}
    unused = [
        rule.name for rule in policies.all_rules()
        if rule.name not in asked and ":" in rule.name
        and not any(tail in code for tail in (rule.name, rule.name.split(":", 1)[1]))
    ]  # fmt: skip
    assert unused == []
