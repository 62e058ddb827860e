"""Requests that reserved or made volumes and may never be accepted: the memory that lets none of them leak."""

from __future__ import annotations

import contextlib
import datetime
import logging
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, delete, insert, or_, select, update

from nova_lite import exception
from nova_lite.db import clock
from nova_lite.db.models import ProvisionalVolume as Model
from nova_lite.db.session import reader, retry_on_deadlock, writer
from nova_lite.db.writes import affected, new_id

LOG = logging.getLogger(__name__)

_T = Model.__table__
_ROWS = select(_T.c.id, _T.c.instance_uuid, _T.c.volume_id)


@dataclass(frozen=True)
class ProvisionalVolume:
    """What a request asked for one server: one volume, or whatever it needs at its creation (None)."""

    id: int
    instance_uuid: str
    volume_id: str | None


class Promise:
    """What one request asks of the volume service, and how to take it back."""

    def __init__(self, ids: Collection[int]) -> None:
        self._ids = ids
        self._undos: list[Callable[[], object]] = []

    def keep(self) -> None:
        """The request is accepted, in the caller's transaction; errors as in :func:`keep`."""
        keep(self._ids)

    def undo(self, *undos: Callable[[], object]) -> None:
        """What takes back what was just done, should the request be refused."""
        self._undos += undos

    def over(self) -> None:
        """The request failed: what it did is taken back at once, but only if it is proved that nobody accepted it.

        The answer of the commit that accepts may be lost, or come when all is done: then the volumes are in use.
        """
        if not refused(self._ids):
            return
        for undo in reversed(self._undos):
            try:
                undo()
            except exception.NovaLiteError as error:
                LOG.error("A conductor has to take back what a refused request did: %s", error)


@contextlib.contextmanager
def promised(instance_uuids: Iterable[str], seconds: float, *volume_ids: str) -> Iterator[Promise]:
    """While a request asks the volume service for what it needs. What is refused goes.

    :param seconds: the request may take; what was not accepted by then never will be.
    """
    one = Promise(promise(instance_uuids, seconds, *volume_ids))
    try:
        yield one
    except BaseException:
        one.over()
        raise


@retry_on_deadlock
def promise(instance_uuids: Iterable[str], seconds: float, *volume_ids: str) -> list[int]:
    """The volume service is about to be asked for a request that is not accepted yet; the ids of its rows."""
    now = clock.now()
    due = now + datetime.timedelta(seconds=seconds)
    rows = [
        {"instance_uuid": uuid, "volume_id": volume_id, "doomed": False, "due_at": due, "created_at": now}
        for uuid in instance_uuids
        for volume_id in volume_ids or (None,)
    ]
    if not rows:
        return []
    with writer() as session:
        return [new_id(session, insert(_T).values(row)) for row in rows]


def keep(ids: Collection[int]) -> None:
    """The request is accepted, in the caller's transaction.

    :raises AcceptedTooLate: it took so long that what it asked for is being taken back.
    """
    if not ids:
        return
    with writer() as session:
        if affected(session, delete(_T).where(_T.c.id.in_(ids), _T.c.doomed.is_(False))) != len(ids):
            raise exception.AcceptedTooLate()


@retry_on_deadlock
def refused(ids: Collection[int]) -> bool:
    """The request is over: whatever is left of it goes at once. False: it was accepted, or goes already."""
    if not ids:
        return False
    with writer() as session:
        return affected(session, update(_T).where(_T.c.id.in_(ids)).values(doomed=True, due_at=clock.now())) == len(ids)


def due(limit: int = 100) -> list[ProvisionalVolume]:
    """What has to go; what waits longest comes first."""
    ripe = or_(_T.c.doomed.is_(True), _T.c.due_at <= clock.now())
    return _found(_ROWS.where(ripe).order_by(_T.c.due_at, _T.c.id).limit(limit))


def list_all() -> list[ProvisionalVolume]:
    """What has to go, and what may still be accepted; oldest first."""
    return _found(_ROWS.order_by(_T.c.id))


def _found(query: Select[Any]) -> list[ProvisionalVolume]:
    with reader() as session:
        return [ProvisionalVolume(*row) for row in session.execute(query).all()]


@retry_on_deadlock
def doom(row_id: int) -> bool:
    """From now on the request cannot be accepted; False when it was. What stays is tried again after all others."""
    with writer() as session:
        return affected(session, update(_T).where(_T.c.id == row_id).values(doomed=True, due_at=clock.now())) > 0


@retry_on_deadlock
def forget(row_id: int) -> None:
    """Nothing of the request is left."""
    with writer() as session:
        session.execute(delete(_T).where(_T.c.id == row_id))


@retry_on_deadlock
def forget_all() -> list[str]:
    """No volume goes by what is written here; the ids that are known of them."""
    with writer() as session:
        found = session.scalars(select(_T.c.volume_id).where(_T.c.volume_id.is_not(None)).order_by(_T.c.id)).all()
        session.execute(delete(_T))
    return list(dict.fromkeys(str(each) for each in found))
