"""The journal: accepted requests, who works on them, and how far they got.

Every change of an operation in work is guarded by its ``attempt``: each take raises it, so a worker that was overtaken
(its lease ran out, a delete superseded it) changes nothing and learns of it by :class:`StaleWrite`.
"""

from __future__ import annotations

import datetime
import functools
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from sqlalchemy import ColumnElement, Update, and_, bindparam, case, insert, or_, select, update

from nova_lite import exception
from nova_lite.compute import actions
from nova_lite.db import clock
from nova_lite.db.api import operation_rows
from nova_lite.db.api.operation_rows import ALL, from_row, readable
from nova_lite.db.api.operation_rows import EVENTS as _E
from nova_lite.db.api.operation_rows import TABLE as _T
from nova_lite.db.session import reader, writer
from nova_lite.db.writes import affected, new_id
from nova_lite.objects import OPEN_STATES, Operation, OperationEvent, OperationState

_OPEN = tuple(str(state) for state in OPEN_STATES)
_PENDING, _RUNNING = str(OperationState.PENDING), str(OperationState.RUNNING)
_BY_ID = ALL.where(_T.c.id == bindparam("id"))


# -- reading --------------------------------------------------------------------------------------


def get(operation_id: int) -> Operation:
    """:raises NotFound: no such operation."""
    with reader() as session:
        row = session.execute(_BY_ID, {"id": operation_id}).one_or_none()
    if row is None:
        raise exception.NotFound(f"Operation {operation_id} could not be found.")
    return from_row(row)


def locked(operation_id: int) -> Operation:
    """As :func:`get`, and nobody else changes it before the caller's transaction ends."""
    with writer() as session:
        session.execute(select(_T.c.id).where(_T.c.id == operation_id).with_for_update())
        return get(operation_id)


def get_by_request_id(instance_uuid: str, request_id: str) -> Operation:
    """The newest operation of that request, with its events. :raises NotFound: none."""
    with reader() as session:
        row = session.execute(
            ALL.where(_T.c.instance_uuid == instance_uuid, _T.c.request_id == request_id)
            .order_by(_T.c.id.desc())
            .limit(1)
        ).one_or_none()
        if row is None:
            raise exception.NotFound(f"Action for request_id {request_id} on instance {instance_uuid} not found")
        return from_row(row, _events(session, row.id))


def newest_with_verdict(instance_uuid: str) -> Operation | None:
    """The last one that the scheduler was asked for."""
    query = ALL.where(_T.c.instance_uuid == instance_uuid, _T.c.verdict.is_not(None))
    with reader() as session:
        row = session.execute(query.order_by(_T.c.id.desc()).limit(1)).one_or_none()
    return None if row is None else from_row(row)


def list_for_instance(instance_uuid: str) -> list[Operation]:
    """Newest first, without events."""
    with reader() as session:
        rows = session.execute(ALL.where(_T.c.instance_uuid == instance_uuid).order_by(_T.c.id.desc())).all()
    return readable(rows)


def open_for_instance(instance_uuid: str) -> list[Operation]:
    with reader() as session:
        rows = session.execute(
            ALL.where(_T.c.instance_uuid == instance_uuid, _T.c.state.in_(_OPEN)).order_by(_T.c.id)
        ).all()
    return readable(rows)


def waiting(topic: str, host: str | None = None, older_than: datetime.datetime | None = None) -> list[int]:
    """Ids that somebody of this topic (and host) should take: never taken since ``older_than``, or lease run out."""
    now = clock.settled()
    idle = or_(_T.c.state == _RUNNING, _T.c.updated_at <= (older_than or now))
    query = select(_T.c.id).where(_T.c.topic == topic, _free(now), idle).order_by(_T.c.id).limit(1000)
    if host is not None:
        query = query.where(_T.c.host == host)
    with reader() as session:
        return list(session.scalars(query))


def open_on_hosts(topic: str) -> list[Operation]:
    """Every open operation that waits for, or runs on, one host of the topic."""
    with reader() as session:
        rows = session.execute(ALL.where(_T.c.state.in_(_OPEN), _T.c.topic == topic).order_by(_T.c.id)).all()
    return readable(rows)


def overdue() -> list[Operation]:
    """Open operations whose deadline passed."""
    with reader() as session:
        rows = session.execute(
            ALL.where(_T.c.state.in_(_OPEN), _T.c.deadline < clock.settled()).order_by(_T.c.id).limit(1000)
        ).all()
    return readable(rows)


def _free(now: datetime.datetime) -> ColumnElement[bool]:
    """Nobody holds it: put down and rested (``lease_until`` of a pending one is "not before"), or its lease ran out."""
    rested = and_(_T.c.state == _PENDING, or_(_T.c.lease_until.is_(None), _T.c.lease_until < now))
    return or_(rested, and_(_T.c.state == _RUNNING, _T.c.lease_until < now))


# -- writing --------------------------------------------------------------------------------------


def insert_pending(
    *,
    request_id: str,
    instance_uuid: str,
    action: str,
    project_id: str,
    user_id: str,
    topic: str,
    host: str | None,
    args: Mapping[str, Any],
    timeout_s: float | None,
    state: OperationState = OperationState.PENDING,
) -> int:
    """Write an intent; its id. Call it inside the transaction that makes the intent true."""
    now = clock.now()
    done = state not in OPEN_STATES
    with writer() as session:
        return new_id(
            session,
            insert(_T).values(
                request_id=request_id,
                instance_uuid=instance_uuid,
                action=action,
                project_id=project_id,
                user_id=user_id,
                state=str(state),
                topic=topic,
                host=host,
                attempt=0,
                args=dict(args),
                steps=[],
                start_time=now,
                updated_at=now,
                finish_time=now if done else None,
                deadline=None if timeout_s is None else now + datetime.timedelta(seconds=timeout_s),
            ),
        )


def take(operation_id: int, owner: str, lease_s: float, topic: str, host: str | None) -> Operation | None:
    """Become the worker of an operation; None when it is taken, finished, or not this worker's to take."""
    now = clock.now()
    place = _T.c.host == host if host is not None else _T.c.host.is_(None)
    with writer() as session:
        taken = affected(
            session,
            update(_T)
            .where(_T.c.id == operation_id, _T.c.topic == topic, place, _free(clock.settled()))
            .ordered_values(
                # before the state: MySQL assigns from left to right and would compare the new one
                (_T.c.retries, case((_T.c.state == _RUNNING, _T.c.retries + 1), else_=_T.c.retries)),
                (_T.c.state, _RUNNING),
                (_T.c.owner, owner),
                (_T.c.attempt, _T.c.attempt + 1),
                (_T.c.said, 0),
                (_T.c.lease_until, now + datetime.timedelta(seconds=lease_s)),
                (_T.c.updated_at, now),
            ),
        )
        return get(operation_id) if taken else None


def renew(owner: str, ids: Iterable[int], lease_s: float) -> list[int]:
    """Prolong the leases this owner still holds; the ids it holds no longer."""
    wanted = set(ids)
    if not wanted:
        return []
    now = clock.now()
    mine = (_T.c.id.in_(wanted), _T.c.owner == owner, _T.c.state == _RUNNING)
    with writer() as session:
        session.execute(update(_T).where(*mine).values(lease_until=now + datetime.timedelta(seconds=lease_s)))
        held = set(session.scalars(select(_T.c.id).where(*mine)))
    return sorted(wanted - held)


def release_former(place: str, owner: str) -> int:
    """A daemon started anew: what its former life held (owners ``place:...`` but ``owner``) may be taken at once."""
    with writer() as session:
        return affected(
            session,
            update(_T)
            .where(_T.c.state == _RUNNING, _T.c.owner.startswith(f"{place}:", autoescape=True), _T.c.owner != owner)
            .values(state=_PENDING, owner=None, lease_until=None, updated_at=clock.now(), retries=_T.c.retries + 1),
        )


def hold(operation_id: int, attempt: int, /, **values: Any) -> None:
    """Prove that this attempt is still the one at work, and change the given columns in the same breath.

    :raises StaleWrite: another worker has it, or it ended.
    """
    if not _change(operation_id, attempt, values):
        raise exception.StaleWrite(what=f"Operation {operation_id}")


def hear(operation_id: int, attempt: int, number: int, /, **values: Any) -> bool:
    """As :func:`hold`, by a word of the worker, who numbers them; False: it is no newer than the last and ignored."""
    if _change(operation_id, attempt, {"said": number, **values}):
        return True
    hold(operation_id, attempt)
    return False


def _change(operation_id: int, attempt: int, values: Mapping[str, Any]) -> bool:
    bound = {f"new_{name}": value for name, value in values.items()}
    with writer() as session:
        bound |= {"held": operation_id, "mine": attempt, "new_updated_at": clock.now()}
        return bool(session.execute(_hold(tuple(values)), bound).rowcount)


@functools.lru_cache(maxsize=64)
def _hold(names: tuple[str, ...]) -> Update:
    """The statement that changes these columns, made once; values are bound. What is ``said`` must be newer."""
    mine = (_T.c.id == bindparam("held"), _T.c.attempt == bindparam("mine"), _T.c.state == _RUNNING)
    newer = (_T.c.said < bindparam("new_said"),) if "said" in names else ()
    return update(_T).where(*mine, *newer).values({name: bindparam(f"new_{name}") for name in ("updated_at", *names)})


def hand_over(operation_id: int, attempt: int, topic: str, host: str | None, args: Mapping[str, Any]) -> None:
    """Pass the turn on. :raises StaleWrite: it is not this attempt's to pass."""
    hold(
        operation_id, attempt,
        state=_PENDING, topic=topic, host=host, owner=None, lease_until=None, args=dict(args),
        attempt=attempt + 1, retries=0, rests=0,
    )  # fmt: skip


def pause(operation_id: int, attempt: int, seconds: float, message: str) -> None:
    """Put it down: anybody may take it again after ``seconds``, in a turn that is another event.

    :raises StaleWrite: see :func:`hold`.
    """
    now = clock.now()
    with writer() as session:
        hold(operation_id, attempt)
        session.execute(
            update(_T)
            .where(_T.c.id == operation_id)
            .values(
                state=_PENDING, lease_until=now + datetime.timedelta(seconds=seconds), owner=None,
                message=message[:4000], rests=_T.c.rests + 1,
            )
        )  # fmt: skip
        close_events([operation_id], OperationState.FAILED, now, message)


def finish(operation_id: int, attempt: int, state: OperationState, message: str | None = None, **values: Any) -> None:
    """End it, closing its events. :raises StaleWrite: see :func:`hold`."""
    now = clock.now()
    hold(
        operation_id, attempt,
        state=str(state), message=message[:4000] if message else None, finish_time=now, lease_until=None, **values,
    )  # fmt: skip
    close_events([operation_id], state, now)


def give_up(operation: Operation, message: str, **values: Any) -> None:
    """Fail an open operation, whoever holds it, closing its events; whoever still works on it is overtaken.

    :raises StaleWrite: it moved or ended meanwhile.
    """
    now = clock.now()
    with writer() as session:
        ended = affected(
            session,
            update(_T)
            .where(_T.c.id == operation.id, _T.c.attempt == operation.attempt, _T.c.state.in_(_OPEN))
            .values(
                state=str(OperationState.FAILED), message=message[:4000], finish_time=now, updated_at=now,
                lease_until=None, attempt=_T.c.attempt + 1, **values,
            ),
        )  # fmt: skip
        if not ended:
            raise exception.StaleWrite(what=f"Operation {operation.id}")
        close_events([operation.id], OperationState.FAILED, now)
        forget_password([operation.id])


def ended_by(operation_id: int, attempt: int) -> bool:
    """Whether this very attempt ended it well already: its worker did not hear the answer and asks again."""
    # locked: the first word may be on its way to being written, and the second would take itself for overtaken
    operation = locked(operation_id)
    return operation.attempt == attempt and operation.state is OperationState.DONE


def end_open(instance_uuid: str, message: str, but: int | None = None, spare: Collection[str] = ()) -> list[int]:
    """Fail every open operation of a server (but one, and those of actions to spare): superseded. Their ids."""
    now = clock.now()
    with writer() as session:
        mine = (_T.c.instance_uuid == instance_uuid, _T.c.state.in_(_OPEN), _T.c.action.not_in(spare))
        ids = list(session.scalars(select(_T.c.id).where(*mine).order_by(_T.c.id)))
        ids = [number for number in ids if number != but]
        if ids:
            session.execute(
                update(_T)
                .where(_T.c.id.in_(ids), _T.c.state.in_(_OPEN))
                .values(
                    state=str(OperationState.FAILED), message=message, finish_time=now, updated_at=now,
                    lease_until=None, attempt=_T.c.attempt + 1,
                )
            )  # fmt: skip
            close_events(ids, OperationState.FAILED, now)
            forget_password(ids)
    return ids


def forget_password(ids: Iterable[int]) -> None:
    """Of these operations, those that were given a password keep it no longer."""
    with writer() as session:
        secretive = (_T.c.id.in_([*ids]), _T.c.action == actions.CHANGE_PASSWORD.name)
        session.execute(update(_T).where(*secretive).values(args={}))


def seize(
    operation: Operation,
    topic: str,
    args: Mapping[str, Any] | None = None,
    host: str | None = None,
    timeout_s: float | None = None,
) -> bool:
    """Give an open operation to another topic or host, whoever holds it; False when it moved meanwhile.

    With ``timeout_s`` its deadline begins anew.
    """
    now = clock.now()
    later = {} if timeout_s is None else {"deadline": now + datetime.timedelta(seconds=timeout_s)}
    with writer() as session:
        moved = affected(
            session,
            update(_T)
            .where(_T.c.id == operation.id, _T.c.attempt == operation.attempt, _T.c.state == str(operation.state))
            .values(
                state=_PENDING, topic=topic, host=host, owner=None, lease_until=None, retries=0, rests=0,
                attempt=_T.c.attempt + 1,
                args=dict(args if args is not None else operation.args), updated_at=now, **later,
            ),
        )  # fmt: skip
    return moved > 0


# -- events ---------------------------------------------------------------------------------------


def start_event(operation_id: int, name: str, host: str | None) -> None:
    with writer() as session:
        session.execute(insert(_E).values(operation_id=operation_id, name=name, host=host, start_time=clock.now()))


def finish_event(
    operation_id: int, name: str, result: str, details: str | None = None, traceback: str | None = None
) -> None:
    with writer() as session:
        session.execute(
            update(_E)
            .where(_E.c.operation_id == operation_id, _E.c.name == name, _E.c.finish_time.is_(None))
            .values(finish_time=clock.now(), result=result, details=details, traceback=traceback)
        )


def close_events(ids: list[int], state: OperationState, now: datetime.datetime, details: str | None = None) -> None:
    """What is open of operations, or of their turns, ends with them."""
    result = "Success" if state is OperationState.DONE else "Error"
    still_open = update(_E).where(_E.c.operation_id.in_(ids), _E.c.finish_time.is_(None))
    with writer() as session:
        session.execute(still_open.values(finish_time=now, result=result, details=details))


def events_of(operation_id: int) -> tuple[OperationEvent, ...]:
    """Oldest first."""
    with reader() as session:
        return _events(session, operation_id)


def _events(session: Any, operation_id: int) -> tuple[OperationEvent, ...]:
    rows = session.execute(select(_E).where(_E.c.operation_id == operation_id).order_by(_E.c.id)).all()
    return tuple(operation_rows.event(row) for row in rows)
