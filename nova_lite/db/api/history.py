"""The journal as a whole, for those who judge it: what is open, what ended lately, what changed meanwhile."""

from __future__ import annotations

import collections
import datetime
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from sqlalchemy import func, or_, select, update

from nova_lite import exception
from nova_lite.db import clock
from nova_lite.db.api.operation_rows import ALL, event, from_row
from nova_lite.db.api.operation_rows import EVENTS as _E
from nova_lite.db.api.operation_rows import TABLE as _T
from nova_lite.db.session import reader, retry_on_deadlock, writer
from nova_lite.db.transaction import Transaction
from nova_lite.objects import OPEN_STATES, Operation, OperationEvent, OperationState

_OPEN = tuple(str(state) for state in OPEN_STATES)
_RESULTS = {OperationState.DONE: "Success", OperationState.FAILED: "Error"}
# Operations whose events are read at once.
_CHUNK = 500


class Journal(NamedTuple):
    """``broken`` says of each row that cannot be read why, by its id."""

    operations: list[Operation]
    broken: dict[int, str]


def journal(since: datetime.datetime | None = None) -> Journal:
    """The open operations and those that ended since then (None: all there are), with their events, oldest first."""
    query = ALL.order_by(_T.c.id)
    if since is not None:
        query = query.where(or_(_T.c.state.in_(_OPEN), _T.c.finish_time.is_(None), _T.c.finish_time >= since))
    found = Journal([], {})
    with reader() as session:
        rows = session.execute(query).all()
        events = _events(session, [row.id for row in rows])
    for row in rows:
        try:
            found.operations.append(from_row(row, tuple(events.get(row.id, ()))))
        except exception.UnreadableObject as error:
            found.broken[row.id] = str(error)
    return found


def touched(since: datetime.datetime) -> frozenset[str]:
    """The servers of which an operation came, changed or ended since then."""
    query = select(_T.c.instance_uuid).where(_T.c.updated_at >= since).distinct()
    with reader() as session:
        return frozenset(session.scalars(query))


def failures() -> dict[str, int]:
    """How many operations that are remembered failed, by action."""
    failed = _T.c.state == str(OperationState.FAILED)
    with reader() as session:
        rows = session.execute(select(_T.c.action, func.count()).where(failed).group_by(_T.c.action)).all()
    return {action: int(number) for action, number in rows}


@retry_on_deadlock
def close_events(operation_id: int) -> None:
    """End the events of an operation that has ended."""
    with writer() as session:
        row = session.execute(select(_T.c.state, _T.c.finish_time).where(_T.c.id == operation_id)).one_or_none()
        if row is not None and row.state not in _OPEN:
            session.execute(
                update(_E)
                .where(_E.c.operation_id == operation_id, _E.c.finish_time.is_(None))
                .values(finish_time=row.finish_time or clock.now(), result=_RESULTS[OperationState(row.state)])
            )


def _events(session: Transaction, ids: list[int]) -> dict[int, list[OperationEvent]]:
    found = collections.defaultdict(list)
    for some in _chunks(ids):
        for row in session.execute(select(_E).where(_E.c.operation_id.in_(some)).order_by(_E.c.id)):
            found[row.operation_id].append(event(row))
    return found


def _chunks(ids: list[int]) -> Iterator[Iterable[int]]:
    return (ids[start : start + _CHUNK] for start in range(0, len(ids), _CHUNK))
