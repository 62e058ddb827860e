"""The order of servers, and where a page of them begins.

Order is total (the row's id comes last), so a page that begins after its marker repeats nothing and leaves nothing out
while rows come and go. A marker's row may itself change between two pages, or be deleted: where that would change its
place, the place is told with the page, and the next page begins there.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Boolean, ColumnElement, DateTime, Integer, Select, and_, case, literal, or_, select

from nova_lite import exception
from nova_lite.db.api.instance_rows import TABLE
from nova_lite.db.models.base import JsonText
from nova_lite.db.text import storable
from nova_lite.db.transaction import Transaction
from nova_lite.objects import ServerSearch

ALIASES = {"instance_uuid": "uuid", "image": "image_ref", "flavor": "flavor_id", "name": "display_name"}
FILTERS = frozenset(
    column.name for column in TABLE.c if not isinstance(column.type, JsonText) and not column.name.startswith("addr")
)
SORT_KEYS = FILTERS - {"user_data", "key_data"}
# What stays as it is from a server's acceptance until nobody remembers it.
_FIXED = frozenset({"created_at", "id", "uuid", "project_id", "user_id", "launch_index", "reservation_id"})

Key = tuple[ColumnElement[Any], bool]
Place = tuple[Any, ...]


def order(sort: tuple[tuple[str, str], ...]) -> list[Key]:
    """Expressions to sort by, each with "descending?"; unset values come first when ascending, on every backend.

    :raises Invalid: not a sort key or direction.
    """
    keys: list[Key] = []
    names = dict(sort)
    last = sort[-1][1] if sort else "desc"
    for name, direction in (*names.items(), *(() if "id" in names else (("id", last),))):
        name = ALIASES.get(name, name)
        if name not in SORT_KEYS or direction not in ("asc", "desc"):
            raise exception.Invalid(f"Sorting by {name} {direction} is not supported.")
        column = TABLE.c[name]
        if column.nullable:
            keys.append((case((column.is_(None), 0), else_=1), direction == "desc"))
        keys.append((column, direction == "desc"))
    return keys


def moves(sort: tuple[tuple[str, str], ...]) -> bool:
    """Whether a server's place in this order may change."""
    return any(ALIASES.get(name, name) not in _FIXED for name, _ in sort)


def with_places(columns: Select[Any], keys: Sequence[Key]) -> Select[Any]:
    """The statement with each row's place after its own columns."""
    return columns.add_columns(*(expression.label(f"place_{n}") for n, (expression, _) in enumerate(keys)))


def told(place: Sequence[Any]) -> Place:
    """A place as JSON's types."""
    return tuple(value.isoformat() if isinstance(value, datetime.datetime) else value for value in place)


def after(session: Transaction, keys: Sequence[Key], search: ServerSearch) -> ColumnElement[bool]:
    """Rows that come after the marker's place, in the order of the keys. :raises MarkerNotFound, Invalid: no such."""
    place = _found(session, keys, search) if search.after is None else _read(keys, search.after)
    ways: list[ColumnElement[bool]] = []
    same: list[ColumnElement[bool]] = []
    for (expression, descending), value in zip(keys, place, strict=True):
        if value is None:  # nothing is before or after unset, and the key before this one says "unset too"
            continue
        bound = literal(value, expression.type)  # a plain True would be taken for SQL's own word
        ways.append(and_(*same, expression < bound if descending else expression > bound))
        same.append(expression == bound)
    first, descending = keys[0]
    # said once more for the whole, because no backend finds the index through the OR
    if place[0] is None:
        return or_(*ways)
    least = literal(place[0], first.type)
    return and_(first <= least if descending else first >= least, or_(*ways))


def _found(session: Transaction, keys: Sequence[Key], search: ServerSearch) -> Place:
    """Where the marker's row is now."""
    missing = exception.MarkerNotFound(marker=search.marker)
    if not search.marker or not storable(search.marker):
        raise missing
    query = select(*(expression for expression, _ in keys)).where(TABLE.c.uuid == search.marker)
    if search.project_id is not None:
        query = query.where(TABLE.c.project_id == search.project_id)
    row = session.execute(query).one_or_none()
    if row is None:
        raise missing
    return tuple(row)


def _read(keys: Sequence[Key], place: Place) -> Place:
    """A place that was told, from its words."""
    try:
        return tuple(_value(expression, word) for (expression, _), word in zip(keys, place, strict=True))
    except ValueError:
        raise exception.Invalid("The place where the page begins is not in this order.") from None


def _value(expression: ColumnElement[Any], word: Any) -> Any:
    """:raises ValueError: the column has no such value."""
    kind = expression.type
    if word is None and isinstance(expression, type(TABLE.c.id)) and expression.nullable:
        return None
    if isinstance(kind, Boolean) and isinstance(word, bool):
        return word
    if isinstance(kind, Integer) and isinstance(word, int) and not isinstance(word, bool) and abs(word) < 2**62:
        return word
    if isinstance(kind, DateTime) and isinstance(word, str):
        return datetime.datetime.fromisoformat(word).replace(tzinfo=None)
    if not isinstance(kind, (Boolean, Integer, DateTime)) and isinstance(word, str) and storable(word):
        return word
    raise ValueError(word)
