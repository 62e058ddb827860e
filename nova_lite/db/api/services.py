"""Daemons: who serves, since which start, and when it was last heard of."""

from __future__ import annotations

import builtins
import uuid as uuids
from typing import Any

from sqlalchemy import delete, or_, select, update

from nova_lite import exception, versions
from nova_lite.db import clock
from nova_lite.db.api import aggregates, cloud
from nova_lite.db.models import Allocation, ComputeNode, Instance, Migration
from nova_lite.db.models import Service as Model
from nova_lite.db.session import reader, retry_on_deadlock, writer
from nova_lite.db.transaction import Transaction
from nova_lite.db.writes import affected, insert_missing
from nova_lite.objects import Service
from nova_lite.objects.host import is_former
from nova_lite.objects.migration import ENDED

_T = Model.__table__
_N = ComputeNode.__table__
_A = Allocation.__table__
_I = Instance.__table__
_M = Migration.__table__
_ENDED = tuple(str(status) for status in ENDED)
_COMPUTE_TOPIC = "compute"


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
def register(
    host: str, binary: str, topic: str, epoch: str | None, version: int = versions.CURRENT.number,
    identity: str | None = None, beats: int = 0, works_with: int = versions.CURRENT.works_with,
) -> Service:  # fmt: skip
    """A daemon started: its row is made or renewed; being disabled or forced down outlives a restart.

    ``identity`` is that of a host that keeps guests; ``beats`` is how far its heartbeats are known to have come, should
    its row be gone.

    :raises HostReplaced: a later life has registered since; nothing was written.
    """
    started: dict[str, Any] = {"topic": topic, "epoch": epoch, "last_seen_at": clock.now()}
    started |= {"version": version, "works_with": works_with}
    if identity is not None:
        started["identity"] = identity
    mine = (_T.c.host == host, _T.c.binary == binary)
    with writer() as session:
        present = session.scalars(select(_T.c.epoch).where(*mine).with_for_update()).one_or_none()
        if is_former(epoch, present):
            raise exception.HostReplaced(host=host, epoch=present)
        cloud.count_start()
        if not affected(session, update(_T).where(*mine).values(started | {"beats": _T.c.beats + 1})):
            new = {"uuid": str(uuids.uuid4()), "host": host, "binary": binary, "beats": beats + 1, **started}
            insert_missing(session, _T, new)
            session.execute(update(_T).where(*mine).values(started | {"updated_at": None}))
        return get_by_host(host, binary)


@retry_on_deadlock
def heartbeat(host: str, binary: str, epoch: str | None) -> int:
    """The daemon lives; how far its heartbeats have come, 0 when it is not registered under this epoch, or too old."""
    fit = _T.c.version >= versions.CURRENT.works_with
    mine = (_T.c.host == host, _T.c.binary == binary, _T.c.epoch == epoch, fit)
    with writer() as session:
        beat = {"last_seen_at": clock.now(), "beats": _T.c.beats + 1}
        if not affected(session, update(_T).where(*mine).values(beat)):
            return 0
        return int(session.execute(select(_T.c.beats).where(*mine)).scalar_one())


def beats(host: str, binary: str) -> int | None:
    """How far the daemon's heartbeats have come; None: it is not in the list."""
    with reader() as session:
        return session.scalars(select(_T.c.beats).where(_T.c.host == host, _T.c.binary == binary)).one_or_none()


def is_epoch(host: str, binary: str, epoch: str) -> bool:
    """Whether that is the present life of the daemon."""
    mine = (_T.c.host == host, _T.c.binary == binary, _T.c.epoch == epoch)
    with reader() as session:
        return session.execute(select(_T.c.id).where(*mine)).first() is not None


@retry_on_deadlock
def forget_identity(host: str, binary: str) -> Service:
    """The next daemon of that host may be another machine, or one that lost its state. :raises ServiceNotFound:"""
    return _change(get_by_host(host, binary).uuid, identity=None)


@retry_on_deadlock
def forget_identities() -> None:
    """As :func:`forget_identity`, of all hosts."""
    with writer() as session:
        session.execute(update(_T).values(identity=None))


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
    """Forget a daemon, and with a compute host its hypervisors and its places in aggregates.

    :raises ServiceNotFound: there is none; :raises HostInUse: servers or moves need the host.
    """
    with writer() as session:
        row = session.execute(select(_T.c.host, _T.c.topic).where(_T.c.uuid == uuid).with_for_update()).one_or_none()
        if row is None:
            raise exception.ServiceNotFound(service=uuid)
        if row.topic == _COMPUTE_TOPIC:
            _forget_host(session, row.host)
        session.execute(delete(_T).where(_T.c.uuid == uuid))


def _forget_host(session: Transaction, host: str) -> None:
    # The nodes first: who claims one of them now waits, and finds none afterwards.
    nodes = session.scalars(select(_N.c.uuid).where(_N.c.host == host).with_for_update()).all()
    here = select(_I.c.id).where(_I.c.host == host, _I.c.deleted_at.is_(None)).limit(1)
    claims = select(_A.c.id).where(_A.c.node_uuid.in_(nodes)).limit(1)
    moves = select(_M.c.id).where(
        or_(_M.c.source_compute == host, _M.c.dest_compute == host), _M.c.status.not_in(_ENDED)
    )
    if session.execute(here).first() or session.execute(claims).first():
        raise exception.HostInUse(what="is hosting instances. Migrate or delete the instances first.")
    if session.execute(moves.limit(1)).first():
        raise exception.HostInUse(
            what="has in-progress migrations. Complete the migrations or delete the instances first."
        )
    aggregates.forget_host(host)
    session.execute(delete(_N).where(_N.c.host == host))
