"""Console tokens, kept by their hash: who reads the database cannot open a console."""

from __future__ import annotations

import datetime
import hashlib

from sqlalchemy import delete, func, insert, select

from nova_lite import exception
from nova_lite.db import clock
from nova_lite.db.models import ConsoleToken as Model
from nova_lite.db.session import reader, retry_on_deadlock, writer
from nova_lite.db.writes import affected
from nova_lite.objects import ConsoleAddress, ConsoleToken

_T = Model.__table__


@retry_on_deadlock
def create(token: str, kept: ConsoleToken) -> None:
    """Let ``token`` at a console until it expires."""
    address = kept.address
    values = {
        "token_hash": _hash(token), "instance_uuid": kept.instance_uuid, "console_type": str(kept.console_type),
        "host": address.host, "port": address.port, "tls_port": address.tls_port,
        "internal_access_path": address.internal_access_path, "access_url_base": address.access_url_base,
        "expires_at": kept.expires_at,
    }  # fmt: skip
    with writer() as session:
        session.execute(insert(_T).values(values))


def validate(token: str) -> ConsoleToken:
    """What the token opens. :raises ConsoleTokenNotFound: nothing, or not any more."""
    query = select(_T).where(_T.c.token_hash == _hash(token), _T.c.expires_at > clock.now())
    with reader() as session:
        row = session.execute(query).one_or_none()
    if row is None:
        raise exception.ConsoleTokenNotFound()
    address = ConsoleAddress(row.host, row.port, row.access_url_base, row.tls_port, row.internal_access_path)
    return ConsoleToken(row.instance_uuid, row.console_type, address, row.expires_at)


def held() -> list[tuple[str, int, datetime.datetime, datetime.datetime]]:
    """For each server that has tokens: its uuid, how many, and when the last and the first of them expire."""
    ends = _T.c.expires_at
    query = select(_T.c.instance_uuid, func.count(), func.max(ends), func.min(ends)).group_by(_T.c.instance_uuid)
    with reader() as session:
        return [tuple(row) for row in session.execute(query)]


@retry_on_deadlock
def forget(instance_uuid: str) -> int:
    """The server is gone or elsewhere: its tokens open nothing any more. How many there were."""
    with writer() as session:
        return affected(session, delete(_T).where(_T.c.instance_uuid == instance_uuid))


@retry_on_deadlock
def purge(before: datetime.datetime) -> int:
    """Forget those that expired before that time; how many."""
    with writer() as session:
        return affected(session, delete(_T).where(_T.c.expires_at < before))


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
