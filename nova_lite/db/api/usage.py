"""What servers used of the cloud over a time, live ones and those deleted since; one statement, however many."""

from __future__ import annotations

import builtins
import datetime
import functools
from typing import Any

import orjson
from sqlalchemy import Row, Select, Text, and_, or_, select, type_coerce

from nova_lite import exception
from nova_lite.db.models import Instance
from nova_lite.db.session import reader
from nova_lite.db.text import storable
from nova_lite.objects import Flavor
from nova_lite.objects.server_usage import ServerUsage

_I = Instance.__table__
# The flavor as text: many servers are of the same, and equal text is decoded once.
_COLUMNS = select(
    _I.c.uuid, _I.c.display_name, _I.c.project_id, type_coerce(_I.c.flavor, Text).label("flavor"), _I.c.launched_at,
    _I.c.terminated_at, _I.c.vm_state,
)  # fmt: skip


def list(  # noqa: A001  the aggregate's list, as everywhere in db.api
    begin: datetime.datetime,
    end: datetime.datetime,
    project_id: str | None = None,
    limit: int | None = None,
    marker: str | None = None,
) -> builtins.list[ServerUsage]:
    """Servers that ran at some moment of the time, by project and uuid; a page of them, or (no limit) all.

    :raises MarkerNotFound: the marker is no server's uuid, not even a deleted one's.
    """
    query = _COLUMNS.where(
        _I.c.launched_at < end, or_(_I.c.terminated_at.is_(None), _I.c.terminated_at > begin)
    ).order_by(_I.c.project_id, _I.c.uuid)
    if project_id is not None:
        query = query.where(_I.c.project_id == project_id)
    with reader() as session:
        if marker is not None:
            known = select(_I.c.project_id, _I.c.uuid).where(_I.c.uuid == marker)
            row = session.execute(known).one_or_none() if storable(marker) else None
            if row is None:
                raise exception.MarkerNotFound(marker=marker)
            query = _after(query, row)
        rows = session.execute(query if limit is None else query.limit(limit)).all()
    return [_usage(row) for row in rows]


def _after(query: Select[Any], row: Row[Any]) -> Select[Any]:
    same_project = and_(_I.c.project_id == row.project_id, _I.c.uuid > row.uuid)
    return query.where(or_(_I.c.project_id > row.project_id, same_project))


def _usage(row: Row[Any]) -> ServerUsage:
    return ServerUsage(
        uuid=row.uuid,
        name=row.display_name,
        project_id=row.project_id,
        flavor=_flavor(row.flavor),
        started_at=row.launched_at,
        ended_at=row.terminated_at,
        vm_state=row.vm_state,
    )


@functools.lru_cache(maxsize=1024)
def _flavor(text: str) -> Flavor:
    return Flavor.from_primitive(orjson.loads(text))
