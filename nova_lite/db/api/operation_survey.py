"""Operations as operators and the sweep for poison look at them: open, failed, unreadable."""

from __future__ import annotations

import datetime
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import and_, or_, update

from nova_lite import exception
from nova_lite.db import clock
from nova_lite.db.api import operations
from nova_lite.db.api.operation_rows import ALL, from_row, readable
from nova_lite.db.api.operation_rows import TABLE as _T
from nova_lite.db.session import reader, retry_on_deadlock, writer
from nova_lite.db.writes import affected
from nova_lite.objects import OPEN_STATES, Operation, OperationState

_OPEN = tuple(str(state) for state in OPEN_STATES)
_ENDED = (str(OperationState.DONE), str(OperationState.FAILED))


@dataclass(frozen=True)
class OpenOperation:
    """An open operation as far as it can be read; ``why`` it cannot, or None; ``operation`` when it can."""

    id: int
    instance_uuid: str
    action: str
    start_time: datetime.datetime
    deadline: datetime.datetime | None
    operation: Operation | None
    why: str | None


def search(
    states: Collection[OperationState],
    *,
    instance_uuid: str | None = None,
    before: datetime.datetime | None = None,
    limit: int = 1000,
) -> list[Operation]:
    """Oldest first: in one of these states, of a server, accepted before a time. Unreadable ones are left out."""
    query = ALL.where(_T.c.state.in_([str(state) for state in states]))
    if instance_uuid is not None:
        query = query.where(_T.c.instance_uuid == instance_uuid)
    if before is not None:
        query = query.where(_T.c.start_time < before)
    with reader() as session:
        return readable(session.execute(query.order_by(_T.c.id).limit(limit)).all())


def all_open(limit: int = 10_000) -> list[OpenOperation]:
    """Every operation that has not ended, oldest first, readable or not; also one of a state that nobody knows."""
    with reader() as session:
        rows = session.execute(ALL.where(_T.c.state.not_in(_ENDED)).order_by(_T.c.id).limit(limit)).all()
    return [_open(row) for row in rows]


def _open(row: Any) -> OpenOperation:
    known = row.id, row.instance_uuid, row.action, row.start_time, row.deadline
    try:
        return OpenOperation(*known, from_row(row), None)
    except exception.UnreadableObject as error:
        return OpenOperation(*known, None, str(error))


@retry_on_deadlock
def condemn(operation_id: int, reason: str) -> bool:
    """Fail an operation that cannot be read, whoever holds it, and forget what cannot be read; False: it had ended."""
    now = clock.now()
    values = {
        "state": str(OperationState.FAILED), "message": reason[:4000], "finish_time": now, "updated_at": now,
        "lease_until": None, "attempt": _T.c.attempt + 1, "args": {}, "steps": [], "verdict": None,
    }  # fmt: skip
    with writer() as session:
        open_still = and_(_T.c.id == operation_id, _T.c.state.not_in(_ENDED))
        if not affected(session, update(_T).where(open_still).values(values)):
            return False
        operations.close_events([operation_id], OperationState.FAILED, now)
    return True


@retry_on_deadlock
def shun(operation_id: int, seconds: float) -> None:
    """Whoever cannot read an operation leaves it to others for a while."""
    until = clock.now() + datetime.timedelta(seconds=seconds)
    with writer() as session:
        free = or_(_T.c.lease_until.is_(None), _T.c.lease_until < clock.settled())
        mine = (_T.c.id == operation_id, _T.c.state.in_(_OPEN), free)
        session.execute(update(_T).where(*mine).values(lease_until=until))


@retry_on_deadlock
def hurry(operation: Operation, deadline: datetime.datetime | None) -> bool:
    """A resting operation rests no longer, forgets the workers that died on it and gets a new deadline.

    False: it is being worked on, or it ended.
    """
    mine = (_T.c.id == operation.id, _T.c.attempt == operation.attempt, _T.c.state == str(OperationState.PENDING))
    with writer() as session:
        values = {"lease_until": None, "retries": 0, "rests": 0, "deadline": deadline, "updated_at": clock.now()}
        return affected(session, update(_T).where(*mine).values(values)) > 0


def remark(operation: Operation, message: str) -> None:
    """Say why an open operation waits; nothing is said of one that moved meanwhile, and nothing twice."""
    if operation.message == message:
        return
    with writer() as session:
        session.execute(
            update(_T)
            .where(_T.c.id == operation.id, _T.c.attempt == operation.attempt, _T.c.state == str(operation.state))
            .values(message=message)
        )


def one(operation_id: int) -> Operation:
    """With its events. :raises NotFound: no such operation; :raises UnreadableObject: it cannot be read."""
    found = operations.get(operation_id)
    return found.replace(events=operations.events_of(operation_id))
