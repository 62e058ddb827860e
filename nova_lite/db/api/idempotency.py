"""What was answered to creations that a client may say again, by the hash of its key."""

from __future__ import annotations

import datetime
from typing import Any, NamedTuple

from sqlalchemy import delete, insert, select
from sqlalchemy.exc import IntegrityError

from nova_lite import exception
from nova_lite.db import clock
from nova_lite.db.models import IdempotencyKey
from nova_lite.db.session import reader, writer
from nova_lite.db.writes import affected

_T = IdempotencyKey.__table__
LIFETIME = datetime.timedelta(hours=24)


class Kept(NamedTuple):
    body_hash: str
    answer: dict[str, Any]


def find(project_id: str, key_hash: str) -> Kept | None:
    """What a project's key was last used for, if that is not forgotten yet."""
    query = select(_T.c.body_hash, _T.c.answer).where(
        _T.c.project_id == project_id, _T.c.key_hash == key_hash, _T.c.created_at > clock.settled() - LIFETIME
    )
    with reader() as session:
        row = session.execute(query).one_or_none()
    return None if row is None else Kept(*row)


def list_all() -> list[tuple[int, str, datetime.datetime]]:
    """Of every key that is kept its number, the server that it answers with, and until when it does."""
    query = select(_T.c.id, _T.c.answer, _T.c.created_at).order_by(_T.c.id)
    with reader() as session:
        return [(row.id, str(row.answer.get("uuid", "")), row.created_at + LIFETIME) for row in session.execute(query)]


def keep(project_id: str, key_hash: str, body_hash: str, answer: dict[str, Any]) -> None:
    """Use a key, in the transaction of what is answered; the use of a forgotten time is no hindrance.

    :raises IdempotencyKeyInUse: somebody else used it meanwhile.
    """
    now = clock.now()
    mine = (_T.c.project_id == project_id, _T.c.key_hash == key_hash)
    row = {
        "project_id": project_id, "key_hash": key_hash, "body_hash": body_hash, "answer": answer, "created_at": now,
    }  # fmt: skip
    with writer() as session:
        session.execute(delete(_T).where(*mine, _T.c.created_at <= clock.settled() - LIFETIME))
        try:
            session.execute(insert(_T).values(row))
        except IntegrityError:
            raise exception.IdempotencyKeyInUse() from None


def purge(limit: int = 1000) -> int:
    """Forget the keys of a day ago, at most ``limit``; how many."""
    old = select(_T.c.id).where(_T.c.created_at <= clock.settled() - LIFETIME).order_by(_T.c.id).limit(limit)
    with writer() as session:
        ids = list(session.scalars(old))
        return affected(session, delete(_T).where(_T.c.id.in_(ids))) if ids else 0
