"""One page of servers: filters, patterns, order and marker of a ServerSearch as one statement.

Names of filters and sort keys are allow-lists; values are bound, never part of the text.
"""

from __future__ import annotations

import contextlib
import datetime
import functools
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from oslo_utils import strutils, timeutils
from sqlalchemy import (
    Boolean,
    ColumnElement,
    DateTime,
    Integer,
    Row,
    Select,
    and_,
    bindparam,
    false,
    func,
    literal,
    not_,
    or_,
    select,
    text,
)
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql.elements import UnaryExpression
from sqlalchemy.sql.operators import custom_op

from nova_lite import exception
from nova_lite.clock import utcnow
from nova_lite.compute.vm_states import VmState
from nova_lite.db import patterns
from nova_lite.db.api.instance_order import (
    ALIASES,
    FILTERS,
    Place,
    after,
    moves,
    order,
    told,
    with_places,
)
from nova_lite.db.api.instance_rows import TABLE, primitive
from nova_lite.db.models import Tag
from nova_lite.db.models.base import dumps
from nova_lite.db.text import storable
from nova_lite.db.transaction import Transaction
from nova_lite.objects import ServerSearch

_TAGS = Tag.__table__
_TIME_LIMIT_S = 2
_RECENT = datetime.timedelta(hours=1)
_TOO_LONG = ("57014", 1969, 3024, 3699)  # statement timeout: PostgreSQL, MariaDB, MySQL, MySQL's matcher
_NO_PATTERN = ("2201B", 1139, *range(3685, 3699))  # good for Python, not for PostgreSQL, MariaDB, MySQL

_PATTERN_COLUMNS = {
    "name": "display_name",
    "display_name": "display_name",
    "display_description": "display_description",
    "description": "display_description",
    "hostname": "hostname",
    "ip": "addresses_v4",
    "ip6": "addresses_v6",
}
class Rows(NamedTuple):
    """``end`` is where the last row stands in the order, told where it may come to stand elsewhere."""

    rows: Sequence[Any]
    end: Place | None = None


def page(session: Transaction, columns: Select[Any], search: ServerSearch) -> Rows:
    """The rows of one page. :raises MarkerNotFound: . :raises Invalid: see :func:`criteria` and :func:`order`."""
    if _is_plain(search):
        rows = session.execute(_plain(columns, *_shape(search)), _values(search)).all()
    else:
        rows = _filtered(session, columns, search)
    if not moves(search.sort):
        return Rows(rows)
    width = len(columns.selected_columns)
    return Rows([row[:width] for row in rows], told(rows[-1][width:]) if rows else None)


def _filtered(session: Transaction, columns: Select[Any], search: ServerSearch) -> Sequence[Row[Any]]:
    wanted = criteria(search, session.dialect.name)
    keys = order(search.sort)
    query = (with_places(columns, keys) if moves(search.sort) else columns).where(*wanted)
    if search.marker is not None:
        query = query.where(after(session, keys, search))
    by_change = _is_recent(search.changes_since) and session.dialect.name == "sqlite"
    for expression, descending in keys:
        sorter = _unindexed(expression) if by_change else expression
        query = query.order_by(sorter.desc() if descending else sorter.asc())
    query = query.limit(search.limit)
    if not search.patterns:
        return session.execute(query).all()
    with _limited_time(session):
        return session.execute(query).all()


def _is_recent(moment: datetime.datetime | None) -> bool:
    """Few servers changed since then, out of however many there are."""
    return moment is not None and moment > utcnow() - _RECENT


def _unindexed(expression: ColumnElement[Any]) -> ColumnElement[Any]:
    """To sort by without its index: SQLite prefers any index that sorts, and so would look at every server there is to
    find the few that changed. The other backends count before they choose."""
    return UnaryExpression(expression, operator=custom_op("+"))


# -- the usual page -------------------------------------------------------------------------------
# Making a statement costs as much as running it: those without filters are made once for each shape, values bound.


def _is_plain(search: ServerSearch) -> bool:
    return not _is_recent(search.changes_since) and search.statuses is None and search.marker is None and not (
        search.filters or search.patterns or search.metadata
        or search.tags_all or search.tags_any or search.not_tags_all or search.not_tags_any
    )  # fmt: skip


def _shape(search: ServerSearch) -> tuple[Any, ...]:
    """What decides the text of a plain statement."""
    since, before = search.changes_since is not None, search.changes_before is not None
    return search.project_id is not None, search.deleted, search.soft_deleted, since, before, search.sort


def _values(search: ServerSearch) -> dict[str, Any]:
    values = {
        "own": search.project_id, "since": search.changes_since, "before": search.changes_before, "most": search.limit,
    }  # fmt: skip
    return {name: value for name, value in values.items() if value is not None}


@functools.lru_cache(maxsize=256)
def _plain(
    columns: Select[Any],
    own: bool,
    deleted: bool | None,
    soft_deleted: bool | None,
    since: bool,
    before: bool,
    sort: tuple[tuple[str, str], ...],
) -> Select[Any]:
    keys = order(sort)
    query = with_places(columns, keys) if moves(sort) else columns
    if own:
        query = query.where(TABLE.c.project_id == bindparam("own"))
    if deleted is not None:
        query = query.where(_of_life(deleted, soft_deleted))
    if since:
        query = query.where(TABLE.c.updated_at >= bindparam("since"))
    if before:
        query = query.where(TABLE.c.updated_at <= bindparam("before"))
    for expression, descending in keys:
        query = query.order_by(expression.desc() if descending else expression.asc())
    return query.limit(bindparam("most"))


# -- what -----------------------------------------------------------------------------------------


def criteria(search: ServerSearch, backend: str) -> list[ColumnElement[bool]]:
    """:raises Invalid: a filter that is no column, or a pattern that is no bounded regular expression."""
    found: list[ColumnElement[bool]] = []
    if search.project_id is not None:
        found.append(TABLE.c.project_id == search.project_id)
    if search.deleted is not None:
        found.append(_of_life(search.deleted, search.soft_deleted))
    if search.changes_since is not None:
        found.append(TABLE.c.updated_at >= search.changes_since)
    if search.changes_before is not None:
        found.append(TABLE.c.updated_at <= search.changes_before)
    found.extend(_filter(name, value) for name, value in search.filters.items())
    found.extend(_pattern(name, value, backend) for name, value in search.patterns.items())
    if search.statuses is not None:
        found.append(_statuses(search.statuses))
    found.extend(_contains(TABLE.c.metadata, f"{dumps(key)}:{dumps(value)}", backend) for key, value in search.metadata)
    found.extend(_tags(search))
    return found


def _of_life(deleted: bool, soft_deleted: bool | None) -> ColumnElement[bool]:
    """Deleted servers only, or live ones only; see ServerSearch for those between."""
    soft = TABLE.c.vm_state == VmState.SOFT_DELETED.value
    if deleted:
        gone = TABLE.c.deleted_at.is_not(None)
        return or_(gone, soft) if soft_deleted else gone
    live = TABLE.c.deleted_at.is_(None)
    return and_(live, not_(soft)) if soft_deleted is False else live


def _filter(name: str, value: Any) -> ColumnElement[bool]:
    name = ALIASES.get(name, name)
    if name not in FILTERS:
        raise exception.Invalid(f"Filter {name!r} is not supported.")
    column = TABLE.c[name]
    if value is None:
        return column.is_(None)
    many = isinstance(value, (tuple, list, set, frozenset))
    values = [_coerced(column, item) for item in (value if many else (value,))]
    known = [item for item in values if item is not None]
    if not known:
        return false()
    return column.in_(known) if many else column == known[0]


def _coerced(column: ColumnElement[Any], value: Any) -> Any:
    """The value as the column's type; None when no row can have it."""
    value = primitive(value)
    try:
        if isinstance(column.type, Boolean):
            return strutils.bool_from_string(value, strict=True)
        if isinstance(column.type, Integer):
            number = int(value)
            return number if abs(number) < 2**31 else None
        if isinstance(column.type, DateTime):
            return value if isinstance(value, datetime.datetime) else _time(value)
    except (ValueError, TypeError):
        return None
    return str(value) if storable(str(value)) else None


def _time(value: str) -> datetime.datetime:
    return timeutils.normalize_time(timeutils.parse_isotime(value))


def _statuses(statuses: tuple[tuple[str, tuple[str, ...] | None], ...]) -> ColumnElement[bool]:
    ways = [
        TABLE.c.vm_state == primitive(vm_state)
        if tasks is None
        else and_(TABLE.c.vm_state == primitive(vm_state), TABLE.c.task_state.in_([primitive(task) for task in tasks]))
        for vm_state, tasks in statuses
    ]
    return or_(false(), *ways)


def _tags(search: ServerSearch) -> Iterator[ColumnElement[bool]]:
    if search.tags_all:
        yield _has_all(search.tags_all)
    if search.tags_any:
        yield _has_any(search.tags_any)
    if search.not_tags_all:
        yield not_(_has_all(search.not_tags_all))
    if search.not_tags_any:
        yield not_(_has_any(search.not_tags_any))


def _has_all(tags: tuple[str, ...]) -> ColumnElement[bool]:
    """Counted, because a condition for each of thousands of tags is more than a database takes."""
    wanted = set(tags)
    if not all(storable(tag) for tag in wanted):
        return false()
    mine = and_(_TAGS.c.instance_uuid == TABLE.c.uuid, _TAGS.c.tag.in_(sorted(wanted)))
    return select(func.count()).select_from(_TAGS).where(mine).scalar_subquery() == len(wanted)


def _has_any(tags: tuple[str, ...]) -> ColumnElement[bool]:
    known = [tag for tag in tags if storable(tag)]
    return select(_TAGS.c.tag).where(_TAGS.c.instance_uuid == TABLE.c.uuid, _TAGS.c.tag.in_(known)).exists()


# -- patterns -------------------------------------------------------------------------------------


def _pattern(name: str, pattern: str, backend: str) -> ColumnElement[bool]:
    if name not in _PATTERN_COLUMNS:
        raise exception.Invalid(f"Filter {name!r} is not supported.")
    column = TABLE.c[_PATTERN_COLUMNS[name]]
    if not storable(pattern):
        return false()
    if patterns.is_plain(pattern):
        return _contains(column, pattern, backend)
    checked = patterns.checked(pattern)
    # ^ and $ also match at each line: several addresses stand one a line
    if backend == "postgresql":
        return column.op("~")(f"(?n){checked}")
    return column.op("REGEXP")(checked if backend == "sqlite" else f"(?m){checked}")


def _contains(column: ColumnElement[Any], fragment: str, backend: str) -> ColumnElement[bool]:
    """Does the column's text contain the fragment, letter by letter?"""
    position = func.strpos if backend == "postgresql" else func.instr
    return position(column, literal(fragment)) > 0


@contextlib.contextmanager
def _limited_time(session: Transaction) -> Iterator[None]:
    """No pattern keeps the database busy for longer than this. :raises Invalid: it did."""
    dialect = session.dialect
    backend = "mariadb" if getattr(dialect, "is_mariadb", False) else dialect.name
    setting = {
        "postgresql": ("SET LOCAL statement_timeout = {}", 1000),
        "mariadb": ("SET SESSION max_statement_time = {}", 1),
        "mysql": ("SET SESSION max_execution_time = {}", 1000),
        "sqlite": ("", 0),
    }[backend]
    patterns.start_budget()
    try:
        if setting[0]:
            session.execute(text(setting[0].format(_TIME_LIMIT_S * setting[1])))
        yield
        if setting[0]:
            session.execute(text(setting[0].format(0)))
    except DBAPIError as error:
        code = getattr(error.orig, "pgcode", None) or next(iter(getattr(error.orig, "args", ())), None)
        # MySQL keeps the limit as long as the connection, the others as long as the transaction
        session.invalidate() if backend in ("mariadb", "mysql") else session.rollback()
        if code in _TOO_LONG or "user-defined function" in str(error.orig):
            raise exception.Invalid("The regular expression takes too long.") from None
        if code in _NO_PATTERN:
            raise exception.Invalid("The regular expression is invalid.") from None
        raise
