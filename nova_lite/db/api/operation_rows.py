"""Rows of ``operations`` as :class:`Operation` objects, and what is said of those that cannot be read.

JSON arrives as text and is decoded here, so that one broken row hides no other.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any

import orjson
from sqlalchemy import Row, Text, select, type_coerce

from nova_lite import exception
from nova_lite.db.models.base import JsonText
from nova_lite.db.models.operations import Operation as Model
from nova_lite.db.models.operations import OperationEvent as EventModel
from nova_lite.objects import Operation, OperationEvent, OperationState

LOG = logging.getLogger(__name__)

TABLE = Model.__table__
EVENTS = EventModel.__table__
_JSON = {column.name for column in TABLE.c if isinstance(column.type, JsonText)}
_READ = [each for each in TABLE.c if each is not TABLE.c.said]
ALL = select(*(type_coerce(each, Text).label(each.name) if each.name in _JSON else each for each in _READ))
# What each JSON column is, and what stands for NULL.
_KINDS: dict[str, tuple[type, Any]] = {"args": (dict, {}), "steps": (list, []), "verdict": (dict, None)}


def from_row(row: Row[Any], events: tuple[OperationEvent, ...] = ()) -> Operation:
    """:raises UnreadableObject: something in it is not what it should be."""
    values = dict(row._mapping)
    try:
        for name, (kind, empty) in _KINDS.items():
            text = values[name]
            values[name] = empty if text is None else orjson.loads(text)
            if values[name] is not empty and not isinstance(values[name], kind):
                raise ValueError(f"its {name} are no {kind.__name__}")
        values["steps"] = tuple(values["steps"])
        values["args"] = dict(values["args"])
        values["state"] = OperationState(values["state"])
    except ValueError as error:
        raise exception.UnreadableObject(what=f"Operation {row.id}", why=str(error)) from error
    return Operation(events=events, **values)


def readable(rows: Iterable[Row[Any]]) -> list[Operation]:
    """Those that can be read; ``conductor.poison`` ends the others."""
    found = []
    for row in rows:
        try:
            found.append(from_row(row))
        except exception.UnreadableObject as error:
            LOG.error("%s", error)
    return found


def event(row: Row[Any]) -> OperationEvent:
    return OperationEvent(
        row.name, row.start_time, row.finish_time, row.result, row.traceback, row.host, row.details
    )
