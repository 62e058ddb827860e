"""How long operations are kept: the table does not grow without bound.

An open operation is never forgotten. One that ended is forgotten ``retention_days`` after its end, once its server is
forgotten too; of a server that lives on, all but the newest :data:`MOST_KEPT`. Events go with their operation.
"""

from __future__ import annotations

import datetime

from sqlalchemy import ColumnElement, delete, func, not_, select

from nova_lite.db.api.operation_rows import EVENTS as _E
from nova_lite.db.api.operation_rows import TABLE as _T
from nova_lite.db.models.instances import Instance as InstanceModel
from nova_lite.db.session import reader, retry_on_deadlock, writer

_I = InstanceModel.__table__

# Ended operations that a living server keeps however old they are: as many as one page of its instance actions.
MOST_KEPT = 1000


def purge(before: datetime.datetime, limit: int = 1000) -> int:
    """Forget what ended before that time and is not to be kept, at most ``limit``; how many."""
    known = select(_I.c.id).where(_I.c.uuid == _T.c.instance_uuid).exists()
    forgotten = _forget(_T.c.finish_time < before, not_(known), limit=limit)
    for instance_uuid in _with_long_histories(before):
        if forgotten >= limit:
            break
        mine = _T.c.instance_uuid == instance_uuid
        oldest = _oldest_kept(mine)
        forgotten += _forget(_T.c.finish_time < before, mine, _T.c.id < oldest, limit=limit - forgotten)
    return forgotten


def _with_long_histories(before: datetime.datetime, limit: int = 100) -> list[str]:
    """Those of which something is old enough to go: what is long but young must not keep them from their turn."""
    mine = select(_T.c.instance_uuid).group_by(_T.c.instance_uuid)
    query = mine.having(func.count() > MOST_KEPT, func.min(_T.c.finish_time) < before).limit(limit)
    with reader() as session:
        return list(session.scalars(query))


def _oldest_kept(mine: ColumnElement[bool]) -> int:
    query = select(_T.c.id).where(mine).order_by(_T.c.id.desc()).offset(MOST_KEPT - 1).limit(1)
    with reader() as session:
        return session.scalars(query).first() or 0


@retry_on_deadlock
def _forget(*which: ColumnElement[bool], limit: int) -> int:
    with writer() as session:
        ids = session.scalars(select(_T.c.id).where(*which).order_by(_T.c.id).limit(limit)).all()
        if ids:
            session.execute(delete(_E).where(_E.c.operation_id.in_(ids)))
            session.execute(delete(_T).where(_T.c.id.in_(ids)))
    return len(ids)
