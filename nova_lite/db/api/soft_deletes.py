"""Servers that are soft-deleted, and since when: the journal knows."""

from __future__ import annotations

import datetime

from sqlalchemy import func, select, update

from nova_lite.compute import actions
from nova_lite.compute.vm_states import VmState
from nova_lite.db import clock
from nova_lite.db.api.instance_rows import COLUMNS, TABLE, from_row
from nova_lite.db.models import Operation
from nova_lite.db.session import reader, retry_on_deadlock, writer
from nova_lite.objects import Instance, OperationState

_T = Operation.__table__


def before(moment: datetime.datetime, limit: int = 100) -> list[Instance]:
    """Those whose last soft delete ended before that moment and that rest since, at most ``limit``."""
    ended = (
        select(func.max(_T.c.finish_time))
        .where(
            _T.c.instance_uuid == TABLE.c.uuid,
            _T.c.action == actions.SOFT_DELETE.name,
            _T.c.state == OperationState.DONE.value,
        )
        .scalar_subquery()
    )
    query = (
        select(*COLUMNS)
        .where(
            TABLE.c.vm_state == VmState.SOFT_DELETED.value,
            TABLE.c.task_state.is_(None),
            TABLE.c.deleted_at.is_(None),
            ended < moment,
        )
        .order_by(TABLE.c.id)
        .limit(limit)
    )
    with reader() as session:
        return [from_row(row) for row in session.execute(query)]


@retry_on_deadlock
def begin_anew() -> None:
    """Whatever is soft-deleted counts as deleted now."""
    resting = select(TABLE.c.uuid).where(TABLE.c.vm_state == VmState.SOFT_DELETED.value, TABLE.c.deleted_at.is_(None))
    done = (_T.c.action == actions.SOFT_DELETE.name, _T.c.state == OperationState.DONE.value)
    with writer() as session:
        mine = _T.c.instance_uuid.in_(resting)
        session.execute(update(_T).where(mine, *done).values(finish_time=clock.now()))
