"""The bodies of every routed call against the contract: which fields are known and required at which version."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from nova_lite import conf as nova_conf
from nova_lite.api.openstack.compute import application
from nova_lite.api.openstack.microversions import VERSIONS, at
from nova_lite.api.openstack.resource import Dispatcher
from nova_lite.api.openstack.routes import ROUTES, Route
from tests.contracts.test_route_table import DISCOVERY, KEPT, _ids, _named
from tests.harness.compute_api import FakeCompute
from tests.harness.contract import fields, material

try:
    FIELDS = material.fields()
except material.ContractMissing as error:
    pytest.skip(str(error), allow_module_level=True)


@pytest.fixture(scope="module")
def handlers() -> dict[str, Any]:
    nova_conf.register_all(nova_conf.CONF)
    compute: Any = FakeCompute()
    controllers = application.controllers(nova_conf.CONF, compute)
    return Dispatcher(ROUTES, controllers, application.subjects(compute))._handlers


def _rules(route: Route) -> dict[str, fields.Rule] | None:
    """What the contract says of the call's body; None where it is silent."""
    for operation, rules in FIELDS.items():
        method, path, *rest = operation.split(" ")
        action = rest[-1] if rest else None
        if (method, _named(path), action) == (route.method, _named(route.path), route.action):
            return {path: fields.parse_rule(text) for path, text in rules["request"].items()} if "request" in rules \
                else None  # fmt: skip
    return None


def _flat(schema: dict[str, Any], path: str = "") -> Iterator[tuple[str, bool]]:
    """(path, required) of every key a schema names; of alternatives, those of all."""
    for part in (*schema.get("oneOf", ()), *schema.get("anyOf", ())):
        yield from _flat(part, path)
    if isinstance(schema.get("items"), dict):
        yield from _flat(schema["items"], f"{path}[]")
    for name, value in schema.get("properties", {}).items():
        inner = f"{path}.{name}".lstrip(".")
        yield inner, name in schema.get("required", ())
        yield from _flat(value, inner)
    for pattern, value in schema.get("patternProperties", {}).items():
        inner = f"{path}.{{{pattern}}}".lstrip(".")
        yield inner, False
        yield from _flat(value, inner)


WRITTEN = [route for route in KEPT if route.handler not in DISCOVERY and _rules(route)]


@pytest.mark.parametrize("route", WRITTEN, ids=_ids)
def test_fields_are_the_contracts_at_every_version(route: Route, handlers: dict[str, Any]) -> None:
    rules = _rules(route) or {}
    checked = handlers[route.handler].body_checked
    for number in (each.number for each in VERSIONS if route.valid_at(at(each.number))):
        version = material.parse_version(number)
        ours = dict(_flat(checked.at(at(number)).schema))
        # A body without the action's own key is not this action, whatever the contract's schemas say of it.
        valid = {path for path, rule in rules.items() if rule.is_valid(version)} - {route.action}
        assert set(ours) - {route.action} == valid, number
        required = {path for path, rule in rules.items() if rule.is_required(version)} - {route.action}
        assert {path for path, is_required in ours.items() if is_required} - {route.action} == required, number
