"""Images that go unless something comes of them: the memory that lets no snapshot leak, whoever dies when."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, delete, or_, select, update

from nova_lite import exception
from nova_lite.db import clock
from nova_lite.db.models import Operation
from nova_lite.db.models import ProvisionalImage as Model
from nova_lite.db.session import reader, retry_on_deadlock, writer
from nova_lite.db.transaction import Transaction
from nova_lite.db.writes import affected, insert_missing
from nova_lite.objects import OPEN_STATES

_T = Model.__table__
_O = Operation.__table__
_OPEN = tuple(str(state) for state in OPEN_STATES)


@dataclass(frozen=True)
class ProvisionalImage:
    image_id: str
    instance_uuid: str
    operation_id: int | None


@retry_on_deadlock
def promise(image_id: str, instance_uuid: str, seconds: float) -> None:
    """An image is about to be made for a request that is not accepted yet; it goes when that is not done by then."""
    _write(image_id, instance_uuid, seconds)


@retry_on_deadlock
def bind(image_id: str, operation_id: int) -> None:
    """From now on the operation's end decides; call it in the transaction that accepts the operation.

    :raises AcceptedTooLate: it took so long that the image is being removed.
    """
    with writer() as session:
        values = {"operation_id": operation_id, "due_at": clock.now()}
        if not affected(session, update(_T).where(_promised(image_id)).values(values)):
            raise exception.AcceptedTooLate()


@retry_on_deadlock
def stays(image_id: str) -> None:
    """The image is whole already: call it in the transaction that accepts its request.

    :raises AcceptedTooLate: as :func:`bind`.
    """
    with writer() as session:
        if not affected(session, delete(_T).where(_promised(image_id))):
            raise exception.AcceptedTooLate()


@retry_on_deadlock
def keep(image_id: str) -> bool:
    """The image stays; False when it was no provisional one."""
    with writer() as session:
        return affected(session, delete(_T).where(_T.c.image_id == image_id)) > 0


@retry_on_deadlock
def discard(image_id: str, instance_uuid: str) -> None:
    """Nobody needs the image any more: it goes. What an operation is about goes by that one's end, as ever."""
    with writer() as session:
        _write(image_id, instance_uuid, 0)
        _ripen(session, image_id)


@retry_on_deadlock
def refused(image_id: str, instance_uuid: str) -> bool:
    """The request is over: its image goes, if it was not accepted. False: it was, and its operation decides, or did.

    Who asked for the acceptance may have heard of it too late, or never: only this proves that nothing came of it. A
    promise may be forgotten while the image is made; then the server's operations know whether one has it.
    """
    with writer() as session:
        if _ripen(session, image_id):
            return True
        theirs = session.scalars(select(_O.c.args).where(_O.c.instance_uuid == instance_uuid)).all()
        if any(args.get("image_id") == image_id for args in theirs):
            return False
        _write(image_id, instance_uuid, 0)
        return True


@retry_on_deadlock
def doom(image_id: str) -> bool:
    """From now on the request cannot be accepted; False when it was. What stays is tried again after all others."""
    with writer() as session:
        ripe = update(_T).where(_T.c.image_id == image_id, _ripe()).values(due_at=clock.now())
        return affected(session, ripe) > 0


def due(limit: int = 100) -> list[ProvisionalImage]:
    """What must go: its operation ended and did not keep it, or was never accepted. What waits longest comes first."""
    rows = select(_T.c.image_id, _T.c.instance_uuid, _T.c.operation_id).where(_ripe())
    query = rows.order_by(_T.c.due_at, _T.c.id).limit(limit)
    with reader() as session:
        return [ProvisionalImage(*row) for row in session.execute(query).all()]


def list_all() -> list[ProvisionalImage]:
    """Every one, ripe or not."""
    query = select(_T.c.image_id, _T.c.instance_uuid, _T.c.operation_id).order_by(_T.c.id)
    with reader() as session:
        return [ProvisionalImage(*row) for row in session.execute(query).all()]


@retry_on_deadlock
def forget_all() -> list[str]:
    """No image goes by what is written here; their ids."""
    with writer() as session:
        found = session.scalars(select(_T.c.image_id).order_by(_T.c.id)).all()
        session.execute(delete(_T))
    return list(found)


def _ripe() -> ColumnElement[bool]:
    running = select(_O.c.id).where(_O.c.id == _T.c.operation_id, _O.c.state.in_(_OPEN)).exists()
    forgotten = and_(_T.c.operation_id.is_(None), _T.c.due_at <= clock.settled())
    return or_(forgotten, and_(_T.c.operation_id.is_not(None), ~running))


def _promised(image_id: str) -> ColumnElement[bool]:
    return and_(_T.c.image_id == image_id, _T.c.operation_id.is_(None), _T.c.due_at > clock.now())


def _ripen(session: Transaction, image_id: str) -> bool:
    """What no operation is about goes at once; False where there is no such image."""
    ripe = update(_T).where(_T.c.image_id == image_id, _T.c.operation_id.is_(None)).values(due_at=clock.now())
    return affected(session, ripe) > 0


def _write(image_id: str, instance_uuid: str, seconds: float) -> None:
    now = clock.now()
    values = {
        "image_id": image_id, "instance_uuid": instance_uuid, "operation_id": None,
        "due_at": now + datetime.timedelta(seconds=seconds), "created_at": now,
    }  # fmt: skip
    with writer() as session:
        insert_missing(session, _T, values)
