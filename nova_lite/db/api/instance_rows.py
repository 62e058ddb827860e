"""Rows of ``instances`` and :class:`Instance` objects, each made from the other.

What is read often and changes seldom (flavor, image, interfaces) is decoded once per distinct text: equal text gives
the same frozen object. Mutable values (metadata, hints) are made anew for each reader.
"""

from __future__ import annotations

import dataclasses
import enum
import functools
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import orjson
from sqlalchemy import Row, Text, type_coerce

from nova_lite import exception
from nova_lite.db.models import Instance as Model
from nova_lite.db.models.base import JsonText
from nova_lite.objects import BlockDevice, Fault, Flavor, ImageMeta, Instance, Vif
from nova_lite.objects.base import TravellingObject

LOG = logging.getLogger(__name__)

TABLE = Model.__table__
FIELDS = tuple(field.name for field in dataclasses.fields(Instance))

# the columns of a server in the order of the object's fields; JSON arrives as text, see _DECODERS
COLUMNS = tuple(
    type_coerce(TABLE.c[name], Text).label(name) if isinstance(TABLE.c[name].type, JsonText) else TABLE.c[name]
    for name in FIELDS
)


# -- reading --------------------------------------------------------------------------------------


@functools.lru_cache(maxsize=4096)
def _one(cls: Any, text: str) -> Any:
    return cls.from_primitive(orjson.loads(text))


@functools.lru_cache(maxsize=4096)
def _many(cls: Any, text: str) -> tuple[Any, ...]:
    return tuple(cls.from_primitive(item) for item in orjson.loads(text))


def _object(cls: Any) -> Callable[[str | None], Any]:
    return lambda text: None if text is None else _one(cls, text)


def _objects(cls: Any) -> Callable[[str], Any]:
    return lambda text: () if text == "[]" else _many(cls, text)


def _words(text: str | None) -> tuple[str, ...] | None:
    if text is None:
        return None
    return () if text == "[]" else tuple(orjson.loads(text))


def _mapping(text: str) -> dict[str, Any]:
    value: dict[str, Any] = {} if text == "{}" else orjson.loads(text)
    return value


_JSON: dict[str, Callable[[Any], Any]] = {
    "flavor": _object(Flavor),
    "image": _object(ImageMeta),
    "fault": _object(Fault),
    "network_info": _objects(Vif),
    "block_devices": _objects(BlockDevice),
    "tags": _words,
    "security_groups": _words,
    "trusted_certs": _words,
    "metadata": _mapping,
    "scheduler_hints": _mapping,
    "system_metadata": _mapping,
}


def from_row(row: Row[Any]) -> Instance:
    """A row of COLUMNS as the object. :raises UnreadableObject: something in it is not what it should be."""
    values = dict(zip(FIELDS, row, strict=True))
    try:
        for name, decode in _JSON.items():
            values[name] = decode(values[name])
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise exception.UnreadableObject(what=f"The row of server {values['uuid']}", why=str(error)) from error
    # A frozen dataclass sets its fields one by one, which takes longer than reading the row.
    made = object.__new__(Instance)
    object.__setattr__(made, "__dict__", values)
    return made


def readable(rows: Iterable[Row[Any]]) -> Iterator[Instance]:
    """Those rows that can be read: a broken one hides no other server."""
    for row in rows:
        try:
            yield from_row(row)
        except exception.UnreadableObject as error:
            LOG.error("%s", error)


# -- writing --------------------------------------------------------------------------------------


def to_columns(values: Mapping[str, Any]) -> dict[str, Any]:
    """Values by the object's field names as columns, with the copies that belong to them.

    :raises ValueError: a name that is no field of a server, or one that never changes.
    """
    columns: dict[str, Any] = {}
    for name, value in values.items():
        if name not in FIELDS:
            raise ValueError(f"an instance has no field {name}")
        columns[name] = primitive(value)
        columns.update(_copies(name, value))
    return columns


def primitive(value: Any) -> Any:
    """What a column takes: JSON types, numbers, text, times."""
    if isinstance(value, TravellingObject):
        return value.to_primitive()
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, (tuple, list, set, frozenset)):
        return [primitive(item) for item in value]
    if isinstance(value, Mapping):
        return {key: primitive(item) for key, item in value.items()}
    return value


def _copies(name: str, value: Any) -> dict[str, Any]:
    if name == "flavor":
        return {
            "flavor_id": value.flavorid,
            "memory_mb": value.memory_mb,
            "vcpus": value.vcpus,
            "disk_gb": value.disk_gb,
        }
    if name == "network_info":
        return {"addresses_v4": _addresses(value, 4), "addresses_v6": _addresses(value, 6)}
    return {}


def _addresses(vifs: Iterable[Vif], version: int) -> str | None:
    return "\n".join(ip.address for vif in vifs for ip in vif.fixed_ips if ip.version == version) or None
