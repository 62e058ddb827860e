"""Moves of servers: read, begun, and changed only from the status that is expected."""

from __future__ import annotations

import builtins
import datetime
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Row, delete, func, insert, not_, or_, select, update

from nova_lite import exception
from nova_lite.db import clock
from nova_lite.db.api.instance_rows import primitive
from nova_lite.db.models import Instance
from nova_lite.db.models import Migration as Model
from nova_lite.db.session import reader, writer
from nova_lite.db.writes import affected, new_id
from nova_lite.objects import Flavor, Migration, MigrationStatus, MigrationType
from nova_lite.objects.migration import COLD, ENDED, IN_PROGRESS

_T = Model.__table__
_I = Instance.__table__
_ENDED = tuple(str(status) for status in ENDED)
# An evacuation says where a server's disks are once it went well.
_PROVES = or_(
    _T.c.migration_type != str(MigrationType.EVACUATION),
    _T.c.status.in_((str(MigrationStatus.DONE), str(MigrationStatus.COMPLETED))),
)
# More than the largest number that a database gives.
_MOST_DIGITS = 19


def get(uuid: str) -> Migration:
    """:raises NotFound: there is none."""
    return _one(select(_T).where(_T.c.uuid == uuid), uuid)


def of_operation(operation_id: int) -> Migration | None:
    """The move that an operation makes; None when it makes none (yet)."""
    found = _all(select(_T).where(_T.c.operation_id == operation_id).order_by(_T.c.id.desc()).limit(1))
    return found[0] if found else None


def open_of(instance_uuid: str) -> Migration | None:
    """The move of a server that has not ended; a server has one at the most."""
    query = select(_T).where(_T.c.instance_uuid == instance_uuid, _T.c.status.not_in(_ENDED)).order_by(_T.c.id.desc())
    with reader() as session:
        row = session.execute(query.limit(1)).one_or_none()
    return None if row is None else from_row(row)


def last_of(instance_uuid: str) -> Migration | None:
    """The newest move of a server, whatever came of it."""
    found = _all(select(_T).where(_T.c.instance_uuid == instance_uuid).order_by(_T.c.id.desc()).limit(1))
    return found[0] if found else None


def last_at(instance_uuid: str, host: str) -> Migration | None:
    """The newest move of a server from, to or on that host, whatever came of it."""
    here = or_(_T.c.source_compute == host, _T.c.dest_compute == host)
    query = select(_T).where(_T.c.instance_uuid == instance_uuid, here).order_by(_T.c.id.desc())
    found = _all(query.limit(1))
    return found[0] if found else None


def proven(instance_uuid: str) -> builtins.list[Migration]:
    """A server's moves, newest first, but for evacuations that are open or failed: they say nothing of its disks."""
    return _all(select(_T).where(_T.c.instance_uuid == instance_uuid, _PROVES).order_by(_T.c.id.desc()))


def of_server(instance_uuid: str, migration_id: str) -> Migration:
    """One move of a server by its number. :raises MigrationNotFoundForInstance: it has none of that number."""
    missing = exception.MigrationNotFoundForInstance(migration_id=migration_id, instance_uuid=instance_uuid)
    if not (migration_id.isascii() and migration_id.isdigit() and len(migration_id) < _MOST_DIGITS):
        raise missing
    query = select(_T).where(_T.c.id == int(migration_id), _T.c.instance_uuid == instance_uuid)
    with reader() as session:
        row = session.execute(query).one_or_none()
    if row is None:
        raise missing
    return from_row(row)


def live_in_progress(instance_uuid: str) -> builtins.list[Migration]:
    """The live migrations of a server that are under way."""
    statuses = [str(status) for status in IN_PROGRESS]
    mine = select(_T).where(_T.c.instance_uuid == instance_uuid, _T.c.migration_type == str(MigrationType.LIVE))
    return _all(mine.where(_T.c.status.in_(statuses)).order_by(_T.c.id))


def unconfirmed(before: datetime.datetime) -> builtins.list[Migration]:
    """Finished moves that wait for a word of their users since then or longer."""
    finished = _T.c.status == str(MigrationStatus.FINISHED)
    return _all(select(_T).where(finished, _T.c.updated_at <= before).order_by(_T.c.id).limit(1000))


def under_way() -> builtins.list[Migration]:
    """Every move that has not ended."""
    return _all(select(_T).where(_T.c.status.not_in(_ENDED)).order_by(_T.c.id))


def given_up() -> builtins.list[Migration]:
    """Cold moves that ended in error and were the last of a server that is there, as :func:`proven` counts."""
    cold = [str(each) for each in COLD]
    last = select(func.max(_T.c.id)).where(_PROVES).group_by(_T.c.instance_uuid)
    there = select(_I.c.uuid).where(_I.c.deleted_at.is_(None))
    query = select(_T).where(_T.c.status == str(MigrationStatus.ERROR), _T.c.migration_type.in_(cold))
    return _all(query.where(_T.c.id.in_(last), _T.c.instance_uuid.in_(there)).order_by(_T.c.id))


def evacuated(source_compute: str | None = None) -> builtins.list[Migration]:
    """Evacuations that went well but whose source (any, or this host) has not said that its guest is gone."""
    query = select(_T).where(
        _T.c.status == str(MigrationStatus.DONE), _T.c.migration_type == str(MigrationType.EVACUATION)
    )
    if source_compute is not None:
        query = query.where(_T.c.source_compute == source_compute)
    return _all(query.order_by(_T.c.id))


def leaving(host: str) -> frozenset[str]:
    """Servers that are being evacuated from a host, or were, and of which it may have something left."""
    over = [str(status) for status in ENDED if status != MigrationStatus.DONE]
    query = select(_T.c.instance_uuid).where(
        _T.c.source_compute == host,
        _T.c.migration_type == str(MigrationType.EVACUATION),
        _T.c.status.not_in(over),
    )
    with reader() as session:
        return frozenset(session.scalars(query))


def list(  # noqa: A001
    filters: Mapping[str, str],
    since: datetime.datetime | None = None,
    before: datetime.datetime | None = None,
    marker: str | None = None,
    limit: int | None = None,
    *,
    newest_first: bool = False,
) -> builtins.list[Migration]:
    """Moves whose columns are as ``filters`` say (``host`` is either side's), changed between two moments.

    :raises MarkerNotFound: no move has the uuid ``marker``, after which the page begins.
    """
    query = select(_T).order_by(_T.c.id.desc() if newest_first else _T.c.id).limit(limit)
    for name, value in filters.items():
        either = or_(_T.c.source_compute == value, _T.c.dest_compute == value)
        query = query.where(either if name == "host" else _T.c[name] == value)
    changed = func.coalesce(_T.c.updated_at, _T.c.created_at)
    if since is not None:
        query = query.where(changed >= since)
    if before is not None:
        query = query.where(changed <= before)
    with reader() as session:
        if marker is not None:
            last = session.execute(select(_T.c.id).where(_T.c.uuid == marker)).scalar_one_or_none()
            if last is None:
                raise exception.MarkerNotFound(marker=marker)
            query = query.where(_T.c.id < last if newest_first else _T.c.id > last)
        return [from_row(row) for row in session.execute(query)]


def purge(before: datetime.datetime, limit: int = 1000) -> int:
    """Forget ended moves of servers nobody remembers, at most ``limit``; how many."""
    known = select(_I.c.id).where(_I.c.uuid == _T.c.instance_uuid).exists()
    old = (_T.c.status.in_(_ENDED), func.coalesce(_T.c.updated_at, _T.c.created_at) < before, not_(known))
    with writer() as session:
        ids = session.scalars(select(_T.c.id).where(*old).order_by(_T.c.id).limit(limit)).all()
        if ids:
            session.execute(delete(_T).where(_T.c.id.in_(ids)))
    return len(ids)


def create(migration: Migration) -> Migration:
    """Write a new move; call it in the transaction that accepts or plans it."""
    values = _columns({name: getattr(migration, name) for name in vars(migration) if name != "id"})
    values["created_at"] = values["created_at"] or clock.now()
    with writer() as session:
        number = new_id(session, insert(_T).values(values))
    return migration.replace(id=number, created_at=values["created_at"])


def update_if(uuid: str, values: Mapping[str, Any], *statuses: str) -> bool:
    """Change a move that is in one of ``statuses`` (none given: in any); True when it was."""
    changed = update(_T).where(_T.c.uuid == uuid).values(_columns(values) | {"updated_at": clock.now()})
    if statuses:
        changed = changed.where(_T.c.status.in_([str(status) for status in statuses]))
    with writer() as session:
        return affected(session, changed) > 0


def from_row(row: Row[Any]) -> Migration:
    values = dict(row._mapping)
    for name in ("old_flavor", "new_flavor"):
        values[name] = None if values[name] is None else Flavor.from_primitive(values[name])
    return Migration(**values)


def _all(query: Any) -> builtins.list[Migration]:
    with reader() as session:
        return [from_row(row) for row in session.execute(query).all()]


def _one(query: Any, name: object) -> Migration:
    with reader() as session:
        row = session.execute(query).one_or_none()
    if row is None:
        raise exception.NotFound(f"Migration {name} could not be found.")
    return from_row(row)


def _columns(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: primitive(value) for name, value in values.items()}
