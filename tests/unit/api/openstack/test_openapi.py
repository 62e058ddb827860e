"""The OpenAPI document: joined actions, versions, errors; small tables."""

from __future__ import annotations

from typing import Any

import pytest

from nova_lite.api.openstack import openapi
from nova_lite.api.openstack.microversions import Versioned, at
from nova_lite.api.openstack.routes.route import Route
from nova_lite.api.openstack.validation import validated
from nova_lite.policies.base import Rule


class Controller:
    @validated(query={"type": "object", "properties": {"limit": {"type": "array", "items": {"type": "string"}}}})
    def index(self, req: Any) -> None: ...

    @validated(
        body=Versioned(v2_1={"type": "object"}, v2_5={"type": "object", "enum": (1, 2)}),
        headers={"Once": {"type": "string"}},
    )
    def make(self, req: Any) -> None: ...

    def act(self, req: Any) -> None: ...


TABLE = (
    Route("GET", "/things", "things:index", "r"),
    Route("POST", "/things", "things:make", "r", Versioned(v2_1=200, v2_5=201)),
    Route("GET", "/things/{id}", "things:act", until=at("2.9")),
    Route("POST", "/servers/{id}/action", "things:act", "r", 202, subject="server", action="jump"),
    Route("POST", "/servers/{id}/action", "things:act", "r", 200, subject="server", action="sit"),
    Route("GET", "/gone", "retired:gone"),
)
HANDLERS = {f"things:{name}": getattr(Controller, name) for name in ("index", "make", "act")}
RULES = {"r": Rule("r", "@", "Do a thing.")}


def made(version: str) -> dict[str, Any]:
    return openapi.document(at(version), TABLE, HANDLERS, RULES)["paths"]


def test_what_a_version_has() -> None:
    assert list(made("2.9")) == ["/servers/{id}/action", "/things", "/things/{id}"]
    assert list(made("2.10")) == ["/servers/{id}/action", "/things"]


def test_success_codes_and_bodies_follow_the_version() -> None:
    old, new = made("2.4")["/things"]["post"], made("2.5")["/things"]["post"]
    assert (min(old["responses"]), min(new["responses"])) == ("200", "201")
    schemas = [each["requestBody"]["content"]["application/json"]["schema"] for each in (old, new)]
    assert schemas == [{"type": "object"}, {"type": "object", "enum": [1, 2]}]
    assert new["summary"] == "Do a thing." and new["x-policy"] == "r"


def test_actions_of_a_path_are_one_operation() -> None:
    joined = made("2.1")["/servers/{id}/action"]["post"]
    bodies = joined["requestBody"]["content"]["application/json"]["schema"]["oneOf"]
    assert [each["required"] for each in bodies] == [["jump"], ["sit"]]
    assert {"200", "202", "409"} <= set(joined["responses"])
    assert joined["x-policies"] == {"jump": "r", "sit": "r"}
    assert made("2.1")["/servers/{id}/action"]["parameters"][0]["name"] == "id"


def test_query_keys_may_be_repeated() -> None:
    (version, limit) = made("2.1")["/things"]["get"]["parameters"]
    assert version == {"$ref": "#/components/parameters/version"}
    assert limit["name"] == "limit" and limit["schema"]["type"] == "array" and limit["explode"]


def test_headers_of_a_calls_own() -> None:
    assert made("2.1")["/things"]["post"]["parameters"][1:] == [
        {"name": "Once", "in": "header", "schema": {"type": "string"}}
    ]


@pytest.mark.parametrize(
    ("route", "expected"),
    [
        (TABLE[0], {400, 401, 403, 406, 503}),
        (TABLE[1], {400, 401, 403, 406, 413, 415, 503}),
        (TABLE[2], {400, 401, 403, 404, 406, 503}),
        (TABLE[3], {400, 401, 403, 404, 406, 409, 413, 415, 503}),
        (Route("GET", "/versions/{id}", "api_versions:show"), {400, 401, 404, 406, 503}),
        (Route("DELETE", "/servers/{id}", "servers:delete"), {400, 401, 403, 404, 406, 409, 503}),
        (Route("PUT", "/os-quota-sets/{id}", "quota_sets:update"), {400, 401, 403, 406, 413, 415, 503}),
    ],
)
def test_errors_follow_from_what_a_call_is(route: Route, expected: set[int]) -> None:
    assert openapi.errors_of(route) == expected
