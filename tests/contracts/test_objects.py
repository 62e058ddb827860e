"""Travelling objects: no field changes without a version, and every object survives the wire."""

from __future__ import annotations

import dataclasses
import datetime
import enum
import json
import types
import typing
from typing import Any

import pytest

from nova_lite import exception
from nova_lite.objects import base
from tests.harness import fingerprints

CLASSES = {name: cls for name, cls in base.registry().items() if cls.__module__.startswith("nova_lite.")}


def test_fields_change_only_with_the_version() -> None:
    kept = json.loads(fingerprints.FILE.read_text(encoding="utf-8"))
    assert fingerprints.complaints(kept, fingerprints.current()) == []
    assert kept == fingerprints.current(), "run: python -m tests.harness.fingerprints"


def test_a_changed_field_is_seen() -> None:
    now = fingerprints.current()
    other = {name: row | {"fingerprint": "0" * 16} for name, row in now.items()}
    assert len(fingerprints.complaints(other, now)) == len(now)
    raised = {name: row | {"version": "1.99"} for name, row in other.items()}
    assert fingerprints.complaints(raised, now) == []


def _value(hint: Any) -> Any:
    """Some value of a type, never its default."""
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        return _value(next(arg for arg in args if arg is not type(None)))
    if origin is tuple:
        return tuple(_value(arg) for arg in args if arg is not Ellipsis)
    if origin is dict:
        return {"key": _value(args[1])}
    if hint is datetime.datetime:
        return datetime.datetime(2026, 11, 20, 17, 47, 44, 563380)
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        return next(reversed(list(hint)))
    if isinstance(hint, type) and issubclass(hint, base.TravellingObject):
        return _filled(hint)
    return {str: "x", int: 7, float: 1.5, bool: True, object: "o", typing.Any: ["any"]}[hint]


def _filled(cls: type[base.TravellingObject]) -> base.TravellingObject:
    hints = typing.get_type_hints(cls)
    return cls(**{each.name: _value(hints[each.name]) for each in dataclasses.fields(cls)})  # type: ignore[arg-type]


@pytest.mark.parametrize("name", sorted(CLASSES))
def test_every_object_survives_the_wire(name: str) -> None:
    sent = _filled(CLASSES[name])
    wire = json.loads(json.dumps(sent.to_primitive()))
    assert base.from_any_primitive(wire) == sent


@pytest.mark.parametrize("name", sorted(CLASSES))
def test_a_neighbours_newer_field_is_ignored_and_a_missing_one_defaulted(name: str) -> None:
    sent = _filled(CLASSES[name])
    wire = sent.to_primitive()
    wire["data"]["from_the_future"] = 1
    optional = [
        each for each in dataclasses.fields(sent)  # type: ignore[arg-type]
        if each.default is not dataclasses.MISSING or each.default_factory is not dataclasses.MISSING
    ]  # fmt: skip
    for each in optional:
        del wire["data"][each.name]
    read = base.from_any_primitive(wire)
    for each in optional:
        default = each.default if each.default is not dataclasses.MISSING else each.default_factory()  # type: ignore
        assert getattr(read, each.name) == default


@pytest.mark.parametrize("name", sorted(CLASSES))
def test_objects_are_frozen(name: str) -> None:
    sent: Any = _filled(CLASSES[name])
    field = dataclasses.fields(sent)[0].name
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(sent, field, None)


def test_another_major_version_is_refused() -> None:
    wire = _filled(CLASSES["Flavor"]).to_primitive() | {"version": "2.0"}
    with pytest.raises(exception.UnreadableObject, match="Flavor 2.0"):
        base.from_any_primitive(wire)


def test_what_only_a_newer_neighbour_knows_is_said() -> None:
    """An object, a word of an enumeration, a required field that this code does not know or does not find."""
    service = _filled(CLASSES["Operation"]).to_primitive()
    wrong = (
        {"nova_lite": "Warp", "version": "1.0", "data": {}},
        service | {"data": {**service["data"], "state": "levitating"}},
        service | {"data": {}},
    )
    for wire in wrong:
        with pytest.raises(exception.UnreadableObject, match=f"{wire['nova_lite']} 1.*not understood"):
            base.from_any_primitive(wire)
