"""Servers: read by one statement, changed by compare-and-swap.

Deleted servers keep their row (``deleted_at`` set) for lists with changes-since; every write leaves them alone unless
told otherwise, so that nothing brings a deleted server back.
"""

from __future__ import annotations

import builtins
import datetime
import enum
import functools
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from sqlalchemy import ColumnElement, Update, bindparam, delete, func, or_, select, update
from sqlalchemy import insert as sa_insert

from nova_lite import exception
from nova_lite.compute.vm_states import VmState
from nova_lite.db import clock
from nova_lite.db.api import instance_search
from nova_lite.db.api.instance_rows import COLUMNS, FIELDS, TABLE, from_row, primitive, readable, to_columns
from nova_lite.db.models import InstanceFault, Tag
from nova_lite.db.session import reader, retry_on_deadlock, writer
from nova_lite.db.text import storable
from nova_lite.db.transaction import Transaction
from nova_lite.objects import Fault, Instance, Page, ServerName, ServerSearch

_TAGS = Tag.__table__
_FAULTS = InstanceFault.__table__

_ALL = select(*COLUMNS)
_NAMES = select(TABLE.c.uuid, TABLE.c.display_name)
_BY_UUID = _ALL.where(TABLE.c.uuid == bindparam("uuid"))
_LIVE = TABLE.c.deleted_at.is_(None)
_LIVE_BY_UUID = _BY_UUID.where(_LIVE)
_LOCKED = _LIVE_BY_UUID.with_for_update()
_INSERT = sa_insert(TABLE).inline()  # nobody needs the new id: no second round trip, no RETURNING


# -- reading --------------------------------------------------------------------------------------


def get(uuid: str, project_id: str | None = None, include_deleted: bool = False) -> Instance:
    """One server; with ``project_id`` only if it is that project's. :raises InstanceNotFound: there is none."""
    if storable(uuid):
        with reader() as session:
            row = session.execute(_BY_UUID if include_deleted else _LIVE_BY_UUID, {"uuid": uuid}).one_or_none()
        if row is not None:
            found = from_row(row)
            if project_id is None or found.project_id == project_id:
                return found
    raise exception.InstanceNotFound(instance_uuid=uuid)


def locked(uuid: str) -> Instance:
    """A live server that nobody else changes before the caller's writer() ends: read what is to be changed in part.

    :raises InstanceNotFound: there is none.
    """
    with writer() as session:
        row = session.execute(_LOCKED, {"uuid": uuid}).one_or_none()
    if row is None:
        raise exception.InstanceNotFound(instance_uuid=uuid)
    return from_row(row)


def get_many(uuids: Iterable[str], include_deleted: bool = False) -> builtins.list[Instance]:
    """Those of the servers that exist, in no order."""
    wanted = [*uuids]
    if not wanted:
        return []
    query = _ALL.where(TABLE.c.uuid.in_(wanted))
    with reader() as session:
        rows = session.execute(query if include_deleted else query.where(_LIVE)).all()
    return [*readable(rows)]


def list(search: ServerSearch) -> Page[Instance]:  # noqa: A001  the aggregate's list, as everywhere in db.api
    """One page.

    :raises MarkerNotFound: no such server is visible to the search.
    :raises Invalid: a sort key, filter or pattern that is not supported.
    """
    if search.limit <= 0:
        return Page()
    with reader() as session:
        found = instance_search.page(session, _ALL, search)
    return Page(readable(found.rows), found.end)


def names(search: ServerSearch) -> Page[ServerName]:
    """The same page as :func:`list`, with what a short list shows; errors as there."""
    if search.limit <= 0:
        return Page()
    with reader() as session:
        found = instance_search.page(session, _NAMES, search)
    return Page((ServerName(*row) for row in found.rows), found.end)


def on_host(host: str) -> builtins.list[Instance]:
    """Every live server of a host, oldest first."""
    with reader() as session:
        rows = session.execute(_ALL.where(TABLE.c.host == host, _LIVE).order_by(TABLE.c.id)).all()
    return [*readable(rows)]


def live() -> builtins.list[str]:
    """The uuids of all live servers, oldest first."""
    with reader() as session:
        return [*session.scalars(select(TABLE.c.uuid).where(_LIVE).order_by(TABLE.c.id))]


def resting(vm_state: str) -> builtins.list[str]:
    """The uuids of all live servers that rest in that state, oldest first."""
    at_rest = (TABLE.c.vm_state == vm_state, TABLE.c.task_state.is_(None))
    with reader() as session:
        return [*session.scalars(select(TABLE.c.uuid).where(*at_rest, _LIVE).order_by(TABLE.c.id))]


def count(project_id: str | None = None) -> int:
    """Live servers of a project, or of all."""
    query = select(func.count()).select_from(TABLE).where(_LIVE)
    if project_id is not None:
        query = query.where(TABLE.c.project_id == project_id)
    with reader() as session:
        return int(session.execute(query).scalar_one())


# -- writing --------------------------------------------------------------------------------------


@retry_on_deadlock
def insert(instance: Instance) -> Instance:
    """Write a new server; it is given back as the database has it, with its times."""
    values = to_columns({field: getattr(instance, field) for field in FIELDS})
    now = clock.now()
    values["created_at"] = values["created_at"] or now
    values["updated_at"] = values["updated_at"] or now
    with writer() as session:
        session.execute(_INSERT, values)
        _write_tags(session, instance.uuid, instance.tags)
    return instance.replace(created_at=values["created_at"], updated_at=values["updated_at"])


@retry_on_deadlock
def update_if(uuid: str, values: Mapping[str, Any], include_deleted: bool = False, **expected: Any) -> bool:
    """Change a server if its fields are as expected; True when it was so.

    ``values`` and ``expected`` go by the object's field names. An expected tuple means "one of these", None "unset".
    ``tags`` replaces all tags; a ``fault`` becomes the newest, None clears the one shown.

    :raises ValueError: a name that is no field of a server.
    """
    columns = to_columns(values)
    columns.setdefault("updated_at", clock.now())
    wants = {name: _wanted(name, want) for name, want in expected.items()}
    shape = tuple((name, kind) for name, (kind, _) in wants.items())
    bound = {f"old_{name}": value for name, (kind, value) in wants.items() if kind is not Want.UNSET}
    bound |= {f"new_{name}": value for name, value in columns.items()}
    with writer() as session:
        if not session.execute(_update(tuple(columns), shape, include_deleted), {"server": uuid, **bound}).rowcount:
            return False
        if "tags" in values:
            session.execute(delete(_TAGS).where(_TAGS.c.instance_uuid == uuid))
            _write_tags(session, uuid, values["tags"])
        if values.get("fault") is not None:
            _write_fault(session, uuid, values["fault"])
    return True


def set_tags(uuid: str, tags: Collection[str]) -> bool:
    """Replace all tags; False when the server is gone."""
    return update_if(uuid, {"tags": tuple(dict.fromkeys(tags))})


def add_fault(uuid: str, fault: Fault) -> bool:
    """Keep a fault and show it; also for a server already deleted. False when there never was one."""
    return update_if(uuid, {"fault": fault}, include_deleted=True)


def tombstone(uuid: str, **expected: Any) -> bool:
    """The server is gone; its row stays for retention. False when it was gone before, or is not as expected."""
    now = clock.now()
    gone = {
        "vm_state": VmState.DELETED, "task_state": None, "power_state": 0, "terminated_at": now, "deleted_at": now,
    }  # fmt: skip
    return update_if(uuid, gone, **expected)


@retry_on_deadlock
def purge(before: datetime.datetime, limit: int = 1000) -> int:
    """Forget servers that were deleted before that time, at most ``limit``; how many."""
    query = select(TABLE.c.id).where(TABLE.c.deleted_at < before).order_by(TABLE.c.id).limit(limit)
    with writer() as session:
        ids = session.scalars(query).all()
        if ids:
            session.execute(delete(TABLE).where(TABLE.c.id.in_(ids)))
    return len(ids)


class Want(enum.Enum):
    """How a column is expected to be."""

    UNSET = enum.auto()
    EQUAL = enum.auto()
    ONE_OF = enum.auto()
    ONE_OF_OR_UNSET = enum.auto()


def _wanted(name: str, want: Any) -> tuple[Want, Any]:
    if name not in FIELDS:
        raise ValueError(f"an instance has no field {name}")
    if want is None:
        return Want.UNSET, None
    if not isinstance(want, (tuple, set, frozenset, builtins.list)):
        return Want.EQUAL, primitive(want)
    values = [primitive(value) for value in want if value is not None]
    return (Want.ONE_OF_OR_UNSET if None in want else Want.ONE_OF), values


@functools.lru_cache(maxsize=256)
def _update(names: tuple[str, ...], expected: tuple[tuple[str, Want], ...], include_deleted: bool) -> Update:
    """The statement of a compare-and-swap, made once for each shape (making it costs more than running it)."""
    query = update(TABLE).where(TABLE.c.uuid == bindparam("server"), *(_matches(*each) for each in expected))
    if not include_deleted:
        query = query.where(_LIVE)
    return query.values({name: bindparam(f"new_{name}") for name in names})


def _matches(name: str, kind: Want) -> ColumnElement[bool]:
    column = TABLE.c[name]
    if kind is Want.UNSET:
        return column.is_(None)
    if kind is Want.EQUAL:
        return column == bindparam(f"old_{name}")
    some = column.in_(bindparam(f"old_{name}", expanding=True))
    return or_(some, column.is_(None)) if kind is Want.ONE_OF_OR_UNSET else some


def _write_tags(session: Transaction, uuid: str, tags: Iterable[str]) -> None:
    rows = [{"instance_uuid": uuid, "tag": tag} for tag in dict.fromkeys(tags)]
    if rows:
        session.execute(sa_insert(_TAGS), rows)


def _write_fault(session: Transaction, uuid: str, fault: Fault) -> None:
    session.execute(
        sa_insert(_FAULTS).values(
            instance_uuid=uuid,
            code=fault.code,
            message=fault.message,
            details=fault.details,
            host=fault.host,
            created_at=fault.created_at or clock.now(),
        )
    )
