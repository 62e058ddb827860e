"""Pieces of schemas that several resources share, and the functions that make one version's schema of another's."""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]

# Numbers and booleans may come as strings: the v2 API took them so and its clients still send them.
TRUE_WORDS = (True, "True", "TRUE", "true", "1", "ON", "On", "on", "YES", "Yes", "yes")
FALSE_WORDS = (False, "False", "FALSE", "false", "0", "OFF", "Off", "off", "NO", "No", "no")

ANY: Schema = {}
BOOLEAN: Schema = {"type": ["boolean", "string"], "enum": [*TRUE_WORDS, *FALSE_WORDS]}
# Python makes no number of more than 4300 digits.
_DIGITS: Schema = {"type": ["integer", "string"], "pattern": "^[0-9]*$", "minLength": 1, "maxLength": 255}
POSITIVE_INT: Schema = {**_DIGITS, "minimum": 1}
NON_NEGATIVE_INT: Schema = {**_DIGITS, "minimum": 0}
INT_OR_EMPTY: Schema = {"type": "string", "pattern": "^[0-9]*$"}
UUID: Schema = {"type": "string", "format": "uuid"}
NAME: Schema = {"type": "string", "minLength": 1, "maxLength": 255, "format": "name"}
LOOSE_NAME: Schema = {
    "type": "string",
    "minLength": 1,
    "maxLength": 255,
    "format": "name_with_leading_trailing_spaces",
}
DESCRIPTION: Schema = {
    "type": ["string", "null"],
    "minLength": 0,
    "maxLength": 255,
    "pattern": r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*$",
}
IPV4: Schema = {"type": "string", "format": "ipv4"}
IPV6: Schema = {"type": "string", "format": "ipv6"}
IP_ADDRESS: Schema = {"type": "string", "oneOf": [{"format": "ipv4"}, {"format": "ipv6"}]}
METADATA: Schema = {
    "type": "object",
    "patternProperties": {"^[a-zA-Z0-9-_:. ]{1,255}$": {"type": "string", "maxLength": 255}},
    "additionalProperties": False,
}
TAG: Schema = {"type": "string", "minLength": 1, "maxLength": 60, "pattern": "^[^,/]*$"}
VOLUME_SIZE: Schema = {"type": ["integer", "string"], "pattern": "^[0-9]+$", "minimum": 1, "maximum": 2147483647}
HOST: Schema = {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[a-zA-Z0-9-._]*$"}


def closed(properties: dict[str, Schema], required: tuple[str, ...] = ()) -> Schema:
    """An object that has the required keys and no unknown ones. Key order is the order of checks."""
    schema: Schema = {"type": "object", "properties": properties}
    if required:
        schema["required"] = list(required)
    schema["additionalProperties"] = False
    return schema


def add(schema: Schema, properties: dict[str, Schema], required: tuple[str, ...] = ()) -> Schema:
    """``schema`` with more keys, or other schemas of its keys."""
    return closed({**schema["properties"], **properties}, (*schema.get("required", ()), *required))


def without(schema: Schema, *names: str) -> Schema:
    """``schema`` less some keys."""
    kept = {name: value for name, value in schema["properties"].items() if name not in names}
    return closed(kept, tuple(name for name in schema.get("required", ()) if name not in names))


def query(properties: dict[str, Schema], *, patterns: dict[str, Schema] | None = None, strict: bool = False) -> Schema:
    """A query: each key's values are an array. Unknown keys are dropped, or refused where ``strict``."""
    schema: Schema = {
        "type": "object",
        "properties": {name: {"type": "array", "items": value} for name, value in properties.items()},
    }
    if patterns:
        schema["patternProperties"] = {name: {"type": "array", "items": value} for name, value in patterns.items()}
    schema["additionalProperties"] = not strict
    return schema


def strict(schema: Schema) -> Schema:
    """The query schema that refuses unknown keys, as most do from 2.75."""
    return {**schema, "additionalProperties": False}


def action(key: str, schema: Schema) -> Schema:
    """The body of a server action: one key."""
    return closed({key: schema}, (key,))
