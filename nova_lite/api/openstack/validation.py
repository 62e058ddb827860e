"""Bodies and queries against their schemas; one formatter makes jsonschema's errors Nova's sentences.

``@validated(body=..., query=...)`` puts the schemas on a controller's method; their validators are built at import.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import jsonschema
from jsonschema import Draft202012Validator
from jsonschema.validators import extend

from nova_lite import exception
from nova_lite.api.openstack import formats
from nova_lite.api.openstack.microversions import Microversion, Versioned

Schema = dict[str, Any]
F = TypeVar("F", bound=Callable[..., Any])


def _number(instance: Any) -> float | None:
    """Numbers may come as strings ("2"), which the bounds must judge as well."""
    if isinstance(instance, bool):
        return None
    if isinstance(instance, (int, float)):
        return instance
    if isinstance(instance, str) and re.fullmatch(r"-?\d+", instance, re.ASCII):
        # Python refuses to read thousands of digits; whatever they say, no bound holds it.
        return int(instance) if len(instance) < 400 else float("inf")
    return None


def _minimum(validator: Any, minimum: float, instance: Any, schema: Schema) -> Iterator[jsonschema.ValidationError]:
    number = _number(instance)
    if number is not None and number < minimum:
        yield jsonschema.ValidationError(f"{instance!r} is less than the minimum of {minimum!r}")


def _maximum(validator: Any, maximum: float, instance: Any, schema: Schema) -> Iterator[jsonschema.ValidationError]:
    number = _number(instance)
    if number is not None and number > maximum:
        yield jsonschema.ValidationError(f"{instance!r} is greater than the maximum of {maximum!r}")


def _pattern(validator: Any, pattern: str, instance: Any, schema: Schema) -> Iterator[jsonschema.ValidationError]:
    """``$`` is the end, as in the schemas' own language; Python's also matches before a last line break ("5\\n")."""
    if isinstance(instance, str) and not re.search(re.sub(r"\$\Z", r"\\Z", pattern), instance):
        yield jsonschema.ValidationError(f"{instance!r} does not match {pattern!r}")


_Validator = extend(  # type: ignore[no-untyped-call]
    Draft202012Validator, {"minimum": _minimum, "maximum": _maximum, "pattern": _pattern}
)


class Checker:
    """One schema, compiled."""

    def __init__(self, schema: Schema, *, is_body: bool) -> None:
        self.schema = schema
        self._validator = _Validator(schema, format_checker=formats.CHECKER)
        self._where = "field/attribute" if is_body else "query parameters"
        self._is_body = is_body

    def check(self, value: Any) -> None:
        """Refuse ``value`` unless it is as the schema says.

        :raises ValidationError: in Nova's words.
        """
        error = next(self._validator.iter_errors(value), None)
        if error is not None:
            raise exception.ValidationError(detail=self._sentence(error))

    def _sentence(self, error: jsonschema.ValidationError) -> str:
        if isinstance(error.cause, formats.InvalidName):
            return error.cause.message
        if not error.path:
            return error.message
        key = error.path[-1] if self._is_body else error.path[0]
        return f"Invalid input for {self._where} {key}. Value: {error.instance}. {error.message}"


class Checked:
    """The checkers of a versioned schema."""

    def __init__(self, schemas: Versioned[Schema] | Schema, *, is_body: bool) -> None:
        if not isinstance(schemas, Versioned):
            schemas = Versioned(v2_1=schemas)
        self.schemas = schemas
        checkers = [Checker(schema, is_body=is_body) for schema in schemas.values]
        self._checkers: Versioned[Checker] = Versioned()
        self._checkers.since, self._checkers.values = schemas.since, checkers

        self.legacy = Checker(loosened(schemas.values[0]), is_body=is_body)

    def at(self, version: Microversion) -> Checker:
        """The checker of a version the call exists at."""
        found = self._checkers.at(version)
        assert found is not None, f"no schema at {version}"
        return found


def validated(
    body: Versioned[Schema] | Schema | None = None,
    query: Versioned[Schema] | Schema | None = None,
    headers: dict[str, Schema] | None = None,
) -> Callable[[F], F]:
    """Put schemas on a controller's method, where the dispatcher, the OpenAPI document and the tests find them.

    ``headers`` are those of a call's own, by name; the controller checks them by itself.
    """

    def decorate(method: F) -> F:
        if body is not None:
            method.body_checked = Checked(body, is_body=True)  # type: ignore[attr-defined]
        if query is not None:
            method.query_checked = Checked(query, is_body=False)  # type: ignore[attr-defined]
        if headers is not None:
            method.own_headers = headers  # type: ignore[attr-defined]
        return method

    return decorate


_LOOSE = {"name": "name_with_leading_trailing_spaces", "keypair_name": "keypair_name_with_spaces"}


def loosened(schema: Any) -> Any:
    """The schema for the legacy endpoint, where names may have blanks around them; the controllers strip these."""
    if isinstance(schema, list):
        return [loosened(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    found = {key: loosened(value) for key, value in schema.items()}
    name = schema.get("format")
    return {**found, "format": _LOOSE[name]} if isinstance(name, str) and name in _LOOSE else found


# What is asked of the query of a GET that says nothing of its own: no key is known, and from 2.102 none is taken.
NO_QUERY = Checked(
    Versioned(
        v2_1={"type": "object", "properties": {}, "additionalProperties": True},
        v2_102={"type": "object", "properties": {}, "additionalProperties": False},
    ),
    is_body=False,
)
# Calls whose query nobody looks at: those that were removed, and discovery.
ANY_QUERY: Schema = {"type": "object", "properties": {}, "additionalProperties": True}


def query_checked(method: str, handler: Callable[..., Any]) -> Checked | None:
    """The checkers of a call's query; None where a query means nothing."""
    own: Checked | None = getattr(handler, "query_checked", None)
    return own or (NO_QUERY if method == "GET" else None)


def prune(schema: Schema, value: Any) -> Any:
    """``value`` without the keys its schema does not know: what the legacy endpoint drops in silence."""
    if isinstance(value, dict) and "properties" in schema:
        known, patterns = schema["properties"], schema.get("patternProperties", {})
        if schema.get("additionalProperties", True) is not False:
            return {key: prune(known.get(key, {}), item) for key, item in value.items()}
        return {
            key: prune(known.get(key, {}), item)
            for key, item in value.items()
            if key in known or any(re.search(pattern, key) for pattern in patterns)
        }
    if isinstance(value, list) and isinstance(schema.get("items"), dict):
        return [prune(schema["items"], item) for item in value]
    return value


def check_query(checker: Checker, query: dict[str, list[str]]) -> dict[str, list[str]]:
    """The query proven; where unknown keys are allowed they are dropped, so that nothing behind can see them.

    :raises ValidationError: a value is wrong, or an unknown key where the version refuses them.
    """
    checker.check(query)
    schema = checker.schema
    if schema.get("additionalProperties") is False:
        return query
    known, patterns = schema["properties"], schema.get("patternProperties", {})
    return {
        key: values
        for key, values in query.items()
        if key in known or any(re.search(pattern, key) for pattern in patterns)
    }
