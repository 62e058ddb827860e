"""Travelling nouns: frozen dataclasses with one generic way to and from JSON primitives.

A primitive is ``{"nova_lite": "Instance", "version": "1.0", "data": {...}}``. Reading ignores unknown fields and
defaults missing ones, so that neighbours of one major version understand each other.
"""

from __future__ import annotations

import dataclasses
import datetime
import enum
import types
import typing
from typing import Any, ClassVar, TypeVar

from nova_lite import exception

T = TypeVar("T", bound="TravellingObject")

_REGISTRY: dict[str, type[TravellingObject]] = {}


class TravellingObject:
    """Base of every object that crosses the wire; subclasses are frozen dataclasses."""

    VERSION: ClassVar[str] = "1.0"

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        _REGISTRY[cls.__name__] = cls

    def to_primitive(self) -> dict[str, Any]:
        """This object as JSON types only."""
        data = {f.name: _out(getattr(self, f.name)) for f in dataclasses.fields(self)}  # type: ignore[arg-type]
        return {"nova_lite": type(self).__name__, "version": self.VERSION, "data": data}

    @classmethod
    def from_primitive(cls: type[T], primitive: dict[str, Any]) -> T:
        """Build the object again.

        :raises UnreadableObject: the primitive is of another class or major version, or says what this code does not
            know.
        """
        name, version = primitive["nova_lite"], primitive["version"]
        if name != cls.__name__ or version.split(".")[0] != cls.VERSION.split(".")[0]:
            raise exception.UnreadableObject(
                what=f"{name} {version}", why=f"known here is {cls.__name__} {cls.VERSION}"
            )
        hints = _hints(cls)
        data = primitive["data"]
        try:
            return cls(**{key: _in(hints[key], data[key]) for key in hints if key in data})
        except (ValueError, TypeError) as error:
            raise exception.UnreadableObject(what=f"{name} {version}", why=str(error)) from error

    def replace(self: T, **changes: Any) -> T:
        """A copy with the named fields changed."""
        return dataclasses.replace(self, **changes)  # type: ignore[type-var]


def registry() -> dict[str, type[TravellingObject]]:
    """All travelling classes by name."""
    return dict(_REGISTRY)


def is_primitive(value: Any) -> bool:
    return isinstance(value, dict) and "nova_lite" in value and "data" in value


def from_any_primitive(primitive: dict[str, Any]) -> TravellingObject:
    """Build whatever object the primitive names. :raises UnreadableObject: see from_primitive; or none of that name."""
    name = primitive["nova_lite"]
    if name not in _REGISTRY:
        raise exception.UnreadableObject(what=f"{name} {primitive.get('version')}", why="no such object is known here")
    return _REGISTRY[name].from_primitive(primitive)


_HINTS: dict[type, dict[str, Any]] = {}


def _hints(cls: type) -> dict[str, Any]:
    if cls not in _HINTS:
        hints = typing.get_type_hints(cls)
        _HINTS[cls] = {f.name: hints[f.name] for f in dataclasses.fields(cls)}
    return _HINTS[cls]


def _out(value: Any) -> Any:
    if isinstance(value, TravellingObject):
        return value.to_primitive()
    if isinstance(value, datetime.datetime):
        return value.isoformat()
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, (list, tuple)):
        return [_out(item) for item in value]
    if isinstance(value, dict):
        return {key: _out(item) for key, item in value.items()}
    return value


def _in(hint: Any, value: Any) -> Any:
    if value is None:
        return None
    origin = typing.get_origin(hint)
    if origin in (typing.Union, types.UnionType):
        return _in(next(arg for arg in typing.get_args(hint) if arg is not type(None)), value)
    if origin is dict:
        return value  # a user's metadata may look like a primitive; it is data
    if is_primitive(value):
        return from_any_primitive(value)
    if origin is tuple:
        item = typing.get_args(hint)[0]
        return tuple(_in(item, each) for each in value)
    if hint is datetime.datetime:
        return datetime.datetime.fromisoformat(value)
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        return hint(value)
    return value
