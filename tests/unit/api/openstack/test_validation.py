"""Schemas, sentences, pruning; and every schema of the table itself."""

from __future__ import annotations

import itertools
import re
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from nova_lite import exception
from nova_lite.api.openstack.compute import application
from nova_lite.api.openstack.compute.schemas import types as t
from nova_lite.api.openstack.microversions import Versioned, at
from nova_lite.api.openstack.resource import Dispatcher
from nova_lite.api.openstack.routes import ROUTES
from nova_lite.api.openstack.validation import Checked, Checker, check_query, prune
from nova_lite.conf import CONF
from tests.harness.compute_api import FakeCompute

BODY = t.closed({"n": t.POSITIVE_INT, "flag": t.BOOLEAN, "inner": t.closed({"a": t.NAME}, ("a",))}, ("n",))


def refusal(value: Any, schema: dict[str, Any] = BODY, *, is_body: bool = True) -> str:
    with pytest.raises(exception.ValidationError) as caught:
        Checker(schema, is_body=is_body).check(value)
    return caught.value.message


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        (None, "None is not of type 'object'"),
        ({}, "'n' is a required property"),
        ({"n": 1, "z": 2}, "Additional properties are not allowed ('z' was unexpected)"),
        ({"n": 0}, "Invalid input for field/attribute n. Value: 0. 0 is less than the minimum of 1"),
        ({"n": "0"}, "Invalid input for field/attribute n. Value: 0. '0' is less than the minimum of 1"),
        ({"n": True}, "Invalid input for field/attribute n. Value: True. True is not of type 'integer', 'string'"),
        (
            {"n": 1, "inner": {}},
            "Invalid input for field/attribute inner. Value: {}. 'a' is a required property",
        ),
        (
            {"n": 1, "inner": {"a": 5}},
            "Invalid input for field/attribute a. Value: 5. 5 is not of type 'string'",
        ),
    ],
)
def test_sentences_of_bodies(value: Any, sentence: str) -> None:
    assert refusal(value) == sentence


def test_sentences_of_queries_name_the_key() -> None:
    schema = t.query({"limit": t.NON_NEGATIVE_INT}, strict=True)
    said = refusal({"limit": ["1", "-1"]}, schema, is_body=False)
    assert said == "Invalid input for query parameters limit. Value: -1. '-1' does not match '^[0-9]*$'"
    assert refusal({"z": ["1"]}, schema, is_body=False) == "Additional properties are not allowed ('z' was unexpected)"


@pytest.mark.parametrize("value", ["\n", "5\n"])
def test_a_line_break_is_no_end_of_a_number(value: str) -> None:
    said = f"Invalid input for field/attribute n. Value: {value}. {value!r} does not match '^[0-9]*$'"
    assert refusal({"n": value}) == said


@pytest.mark.parametrize("value", ["9" * 5000, 10**400, "1" * 399])
def test_numbers_without_end_are_judged_not_a_fault(value: Any) -> None:
    assert "is greater than the maximum" in refusal({"n": value}, t.closed({"n": {"maximum": 5}}))


def test_unknown_query_keys_are_dropped_or_refused() -> None:
    loose = Checker(t.query({"a": t.ANY}, patterns={"^_": t.ANY}), is_body=False)
    assert check_query(loose, {"a": ["1"], "_b": ["2"], "z": ["3"]}) == {"a": ["1"], "_b": ["2"]}
    strict = Checker(t.query({"a": t.ANY}, strict=True), is_body=False)
    with pytest.raises(exception.ValidationError):
        check_query(strict, {"z": ["3"]})


def test_pruning_goes_through_objects_and_lists() -> None:
    schema = t.closed(
        {"list": {"type": "array", "items": t.closed({"a": t.ANY})}, "meta": t.METADATA, "free": {"type": "object"}}
    )
    value = {"list": [{"a": 1, "z": 2}, 5], "meta": {"k": "v"}, "free": {"z": 1}, "z": 1}
    assert prune(schema, value) == {"list": [{"a": 1}, 5], "meta": {"k": "v"}, "free": {"z": 1}}
    assert prune(schema, "text") == "text"


def test_the_newest_schema_not_above_the_version() -> None:
    checked = Checked(Versioned(v2_5=t.closed({}), v2_10=t.closed({"a": t.ANY})), is_body=True)
    with pytest.raises(AssertionError, match="no schema at 2.4"):
        checked.at(at("2.4"))
    with pytest.raises(exception.ValidationError):
        checked.at(at("2.9")).check({"a": 1})
    checked.at(at("2.96")).check({"a": 1})


# -- the schemas of the table -----------------------------------------------------------------------


def handlers() -> dict[str, Any]:
    compute: Any = FakeCompute()
    controllers = application.controllers(CONF, compute)
    return Dispatcher(ROUTES, controllers, application.subjects(compute))._handlers


def test_every_call_that_takes_a_body_has_a_schema_for_it() -> None:
    found = handlers()
    bare = [
        route.handler
        for route in ROUTES
        if (route.method in ("POST", "PUT") or route.action)
        and not route.handler.startswith("retired:")
        and not hasattr(found[route.handler], "body_checked")
    ]
    assert bare == []


def test_every_schema_is_one_and_every_object_of_a_body_is_closed() -> None:
    for name, handler in handlers().items():
        for kind in ("body_checked", "query_checked"):
            checked = getattr(handler, kind, None)
            for schema in checked.schemas.values if checked else ():
                Draft202012Validator.check_schema(schema)
                if kind == "body_checked":
                    open_ones = [path for path in open_objects(schema) if "hints" not in path]
                    assert open_ones == [], name


def patterns(schema: Any) -> set[str]:
    if isinstance(schema, list):
        return {each for item in schema for each in patterns(item)}
    if not isinstance(schema, dict):
        return set()
    own = [each for each in [schema.get("pattern")] if isinstance(each, str)]
    keys = schema.get("patternProperties", {})
    return {*own, *keys}.union(*(patterns(each) for each in schema.values()))


@pytest.mark.timeout(30)  # what is wrong here ends in centuries
def test_no_text_keeps_a_pattern_busy() -> None:
    """A name of several long labels and one wrong character was matched for ever (found by the fuzzer)."""
    checkers = [getattr(each, kind, None) for each in handlers().values() for kind in ("body_checked", "query_checked")]
    schemas = [schema for checked in checkers if checked for schema in checked.schemas.values]
    found = set().union(*(patterns(schema) for schema in schemas))
    assert len(found) > 10
    for pattern in found:
        for start, size, end in itertools.product(("", "/", "/dev/", "-"), (1, 2, 7, 30), ("", "!", "\n", " ", ".")):
            for letter, between in itertools.product("a0-: ", ("", ".", "-", "_", " ", ":")):
                re.search(pattern, (start + (letter * size + between) * 255)[:254] + end)


def open_objects(schema: Any, path: str = "") -> list[str]:
    """Paths of object schemas that take any key."""
    if isinstance(schema, list):
        return [each for item in schema for each in open_objects(item, path)]
    if not isinstance(schema, dict):
        return []
    found = []
    if "properties" in schema and schema.get("additionalProperties") is not False:
        found.append(path)
    for key, value in schema.items():
        found += open_objects(value, f"{path}/{key}")
    return found
