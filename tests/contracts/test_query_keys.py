"""The queries of every routed call against the contract: which keys are known at which version, and since when others
are refused."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from nova_lite import conf as nova_conf
from nova_lite.api.openstack.compute import application
from nova_lite.api.openstack.microversions import VERSIONS, at
from nova_lite.api.openstack.resource import Dispatcher
from nova_lite.api.openstack.routes import ROUTES, Route
from nova_lite.api.openstack.validation import query_checked
from tests.contracts.test_route_table import DISCOVERY, KEPT, _ids, _named
from tests.harness.compute_api import FakeCompute
from tests.harness.contract import fields, material

try:
    FIELDS = material.fields()
except material.ContractMissing as error:
    pytest.skip(str(error), allow_module_level=True)

# From here on no call takes an unknown key, whatever it did before (microversions.md, 2.102).
STRICT_EVERYWHERE = "2.102"


@pytest.fixture(scope="module")
def handlers() -> dict[str, Any]:
    nova_conf.register_all(nova_conf.CONF)
    compute: Any = FakeCompute()
    controllers = application.controllers(nova_conf.CONF, compute)
    return Dispatcher(ROUTES, controllers, application.subjects(compute))._handlers


def _strict_from(route: Route) -> str:
    """The version whose line in microversion_diff.json says that unknown keys are 400 now."""
    for number, changes in material.changes().items():
        for operation, change in changes.items():
            method, _, path = operation.partition(" ")
            if (method, _named(path)) == (route.method, _named(route.path)) and "unknown query keys" in change:
                return str(number)
    return STRICT_EVERYWHERE


def _rules(route: Route) -> dict[str, Any] | None:
    """What the contract says of the call's query; None where it is silent."""
    for operation, rules in FIELDS.items():
        method, _, path = operation.partition(" ")
        if (method, _named(path)) == (route.method, _named(route.path)) and route.action is None:
            return dict(rules)
    return None


READ = [route for route in KEPT if route.method == "GET" and route.handler not in DISCOVERY and _rules(route)]


def _versions(route: Route) -> Iterator[str]:
    return (each.number for each in VERSIONS if route.valid_at(at(each.number)))


@pytest.mark.parametrize("route", READ, ids=_ids)
def test_unknown_keys_are_refused_from_the_contracts_version(route: Route, handlers: dict[str, Any]) -> None:
    strict_from = _strict_from(route)
    checked = query_checked(route.method, handlers[route.handler])
    assert checked is not None
    for number in _versions(route):
        refuses = checked.at(at(number)).schema.get("additionalProperties") is False
        assert refuses == (at(number) >= at(strict_from)), number


@pytest.mark.parametrize("route", READ, ids=_ids)
def test_known_keys_are_the_contracts(route: Route, handlers: dict[str, Any]) -> None:
    expected = {name: fields.parse_rule(text) for name, text in (_rules(route) or {}).get("query", {}).items()}
    checked = query_checked(route.method, handlers[route.handler])
    assert checked is not None
    for number in _versions(route):
        version = material.parse_version(number)
        schema = checked.at(at(number)).schema
        known = {*schema["properties"], *(f"{{{pattern}}}" for pattern in schema.get("patternProperties", ()))}
        assert known == {name for name, rule in expected.items() if rule.is_valid(version)}, number


def test_no_query_of_a_write_is_looked_at_unless_the_contract_does(handlers: dict[str, Any]) -> None:
    judged = {
        f"{route.method} {_named(route.path)}" for route in KEPT
        if route.method != "GET" and query_checked(route.method, handlers[route.handler]) is not None
    }  # fmt: skip
    named = {" ".join((operation.split()[0], _named(operation.split()[1]))) for operation, rules in FIELDS.items()
             if "query" in rules}  # fmt: skip
    assert judged <= named
