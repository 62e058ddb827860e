"""Daemons: who serves, since which start, and when it was last heard of."""

from __future__ import annotations

import builtins
import uuid as uuids
from typing import Any

from sqlalchemy import delete, select, update

from nova_lite import exception
from nova_lite.clock import utcnow
from nova_lite.db.models import Service as Model
from nova_lite.db.session import reader, retry_on_deadlock, writer
from nova_lite.db.writes import affected, insert_missing
from nova_lite.objects import Service

_T = Model.__table__


def list(binary: str | None = None, host: str | None = None) -> builtins.list[Service]:  # noqa: A001
    """All services, or those of a binary or a host, oldest first."""
    query = select(_T).order_by(_T.c.id)
    if binary is not None:
        query = query.where(_T.c.binary == binary)
    if host is not None:
        query = query.where(_T.c.host == host)
    with reader() as session:
        return [Service(**row._mapping) for row in session.execute(query)]


def get(uuid: str) -> Service:
    """:raises ServiceNotFound: there is none."""
    return _get(uuid, _T.c.uuid == uuid)


def get_by_host(host: str, binary: str) -> Service:
    """:raises ServiceNotFound: there is none."""
    return _get(f"{binary} on {host}", _T.c.host == host, _T.c.binary == binary)


def _get(name: str, *where: Any) -> Service:
    with reader() as session:
        row = session.execute(select(_T).where(*where)).one_or_none()
    if row is None:
        raise exception.ServiceNotFound(service=name)
    return Service(**row._mapping)


@retry_on_deadlock
def register(host: str, binary: str, topic: str, epoch: str | None, version: int = 1) -> Service:
    """A daemon started: its row is made or renewed; being disabled or forced down outlives a restart."""
    now = utcnow()
    started = {"topic": topic, "epoch": epoch, "version": version, "last_seen_at": now}
    mine = (_T.c.host == host, _T.c.binary == binary)
    with writer() as session:
        if not affected(session, update(_T).where(*mine).values(started)):
            new = {"uuid": str(uuids.uuid4()), "host": host, "binary": binary, **started}
            insert_missing(session, _T, new)
            session.execute(update(_T).where(*mine).values(started | {"updated_at": None}))
        return get_by_host(host, binary)


@retry_on_deadlock
def heartbeat(host: str, binary: str, epoch: str | None) -> bool:
    """The daemon lives; False when it is not registered under this epoch and must register again."""
    mine = (_T.c.host == host, _T.c.binary == binary, _T.c.epoch == epoch)
    with writer() as session:
        return affected(session, update(_T).where(*mine).values(last_seen_at=utcnow())) > 0


@retry_on_deadlock
def set_disabled(uuid: str, disabled: bool, reason: str | None = None) -> Service:
    """Take a host out of scheduling, or back in. :raises ServiceNotFound: there is none."""
    return _change(uuid, disabled=disabled, disabled_reason=reason if disabled else None)


@retry_on_deadlock
def set_forced_down(uuid: str, forced_down: bool) -> Service:
    """An operator knows better than the heartbeat. :raises ServiceNotFound: there is none."""
    return _change(uuid, forced_down=forced_down)


def _change(uuid: str, **values: Any) -> Service:
    with writer() as session:
        session.execute(update(_T).where(_T.c.uuid == uuid).values(values))
        return get(uuid)


@retry_on_deadlock
def destroy(uuid: str) -> None:
    """Forget a daemon. :raises ServiceNotFound: there is none."""
    with writer() as session:
        if not affected(session, delete(_T).where(_T.c.uuid == uuid)):
            raise exception.ServiceNotFound(service=uuid)
