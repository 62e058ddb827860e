"""Groups of hosts; the availability zone of a host is that of its aggregates' metadata.

A host is in one zone at the most, and servers do not change their zone unasked. So that two changes at once cannot
break this, whoever changes an aggregate locks them all: there are few, and operators change them seldom.
"""

from __future__ import annotations

import builtins
import uuid as uuids
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from sqlalchemy import Row, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from nova_lite import exception
from nova_lite.db.models import Aggregate as Model
from nova_lite.db.models import AggregateHost, Instance
from nova_lite.db.session import reader, retry_on_deadlock, writer
from nova_lite.db.transaction import Transaction
from nova_lite.db.writes import affected, insert_missing, new_id
from nova_lite.objects import Aggregate
from nova_lite.objects.aggregate import ZONE

_A = Model.__table__
_H = AggregateHost.__table__
_I = Instance.__table__
_COLUMNS = select(_A.c.id, _A.c.uuid, _A.c.name, _A.c.metadata, _A.c.created_at, _A.c.updated_at).order_by(_A.c.id)

# How a refusal begins, by what was asked for.
_ADD = "Cannot add host to aggregate"
_REMOVE = "Cannot remove host from aggregate"
_UPDATE = "Cannot update aggregate"
_METADATA = "Cannot update metadata of aggregate"


# -- reading --------------------------------------------------------------------------------------


def availability_zone_of_hosts() -> dict[str, str]:
    """host -> zone, for the hosts that are in one; of several the oldest aggregate's."""
    query = select(_H.c.host, _A.c.metadata).join_from(_H, _A, _A.c.id == _H.c.aggregate_id).order_by(_A.c.id.desc())
    with reader() as session:
        return {host: metadata[ZONE] for host, metadata in session.execute(query) if metadata.get(ZONE)}


def list() -> builtins.list[Aggregate]:  # noqa: A001
    """All aggregates with their hosts, oldest first."""
    with reader() as session:
        return _all(session)


def get(aggregate_id: int) -> Aggregate:
    """:raises AggregateNotFound: there is none."""
    with reader() as session:
        return _find(_all(session), aggregate_id)


def _all(session: Transaction, *, locked: bool = False) -> builtins.list[Aggregate]:
    query = _COLUMNS.with_for_update() if locked else _COLUMNS
    rows = session.execute(query).all()
    hosts: dict[int, builtins.list[str]] = {}
    for number, host in session.execute(select(_H.c.aggregate_id, _H.c.host).order_by(_H.c.host)):
        hosts.setdefault(number, []).append(host)
    return [_aggregate(row, hosts.get(row.id, ())) for row in rows]


def _aggregate(row: Row[Any], hosts: Iterable[str]) -> Aggregate:
    return Aggregate(**row._mapping, hosts=tuple(hosts))


def _find(found: Iterable[Aggregate], aggregate_id: int) -> Aggregate:
    for aggregate in found:
        if aggregate.id == aggregate_id:
            return aggregate
    raise exception.AggregateNotFound(aggregate_id=aggregate_id)


# -- writing --------------------------------------------------------------------------------------


@retry_on_deadlock
def create(name: str, metadata: Mapping[str, str]) -> int:
    """The new aggregate's id. :raises AggregateNameExists: the name is taken."""
    values = {"uuid": str(uuids.uuid4()), "name": name, "metadata": dict(metadata)}
    try:
        with writer() as session:
            return new_id(session, insert(_A).values(values))
    except IntegrityError:
        raise exception.AggregateNameExists(aggregate_name=name) from None


@retry_on_deadlock
def change(aggregate_id: int, name: str | None, metadata: Mapping[str, str | None]) -> Aggregate:
    """Another name, another zone, other metadata (None drops a key).

    :raises AggregateNotFound, AggregateNameExists: as the names say.
    :raises Invalid: it would take servers into another zone, or a host into two.
    """
    with writer() as session:
        known = _all(session, locked=True)
        aggregate = _find(known, aggregate_id)
        if ZONE in metadata:
            _check_zone(session, known, aggregate, metadata[ZONE], _METADATA if name is None else _UPDATE)
        kept = {key: value for key, value in {**aggregate.metadata, **metadata}.items() if value is not None}
        try:
            values = {"metadata": kept, **({} if name is None else {"name": name})}
            session.execute(update(_A).where(_A.c.id == aggregate_id).values(values))
        except IntegrityError:
            raise exception.AggregateNameExists(aggregate_name=name) from None
        return get(aggregate_id)


@retry_on_deadlock
def destroy(aggregate_id: int) -> None:
    """:raises AggregateNotFound: there is none; :raises Invalid: hosts are in it."""
    with writer() as session:
        aggregate = _find(_all(session, locked=True), aggregate_id)
        if aggregate.hosts:
            raise exception.Invalid(_sentence(_REMOVE, aggregate, "Host aggregate is not empty"))
        session.execute(delete(_A).where(_A.c.id == aggregate_id))


@retry_on_deadlock
def add_host(aggregate_id: int, host: str) -> Aggregate:
    """Put a host in.

    :raises AggregateNotFound, AggregateHostExists: as the names say.
    :raises Conflict: the host is in another zone, or its servers would change theirs.
    """
    with writer() as session:
        known = _all(session, locked=True)
        aggregate = _find(known, aggregate_id)
        zone = aggregate.availability_zone
        if zone is not None:
            others = _zones(known, (host,), aggregate_id)
            if others - {zone}:
                raise exception.Conflict(_sentence(_ADD, aggregate, _in_zones(others - {zone})))
            if not others and _pinned(session, host, zone):
                raise exception.Conflict(_sentence(_ADD, aggregate, _HAS_SERVERS))
        if host in aggregate.hosts:
            raise exception.AggregateHostExists(aggregate_id=aggregate_id, host=host)
        insert_missing(session, _H, {"aggregate_id": aggregate_id, "host": host})
        return get(aggregate_id)


@retry_on_deadlock
def remove_host(aggregate_id: int, host: str) -> Aggregate:
    """Take a host out.

    :raises AggregateNotFound, AggregateHostNotFound: as the names say.
    :raises Conflict: servers that asked for the zone are on it, and no other aggregate keeps it there.
    """
    with writer() as session:
        known = _all(session, locked=True)
        aggregate = _find(known, aggregate_id)
        zone = aggregate.availability_zone
        leaves = host in aggregate.hosts and zone is not None and zone not in _zones(known, (host,), aggregate_id)
        if leaves and _pinned(session, host, None):
            raise exception.Conflict(_sentence(_REMOVE, aggregate, _HAS_SERVERS))
        if not affected(session, delete(_H).where(_H.c.aggregate_id == aggregate_id, _H.c.host == host)):
            raise exception.AggregateHostNotFound(aggregate_id=aggregate_id, host=host)
        return get(aggregate_id)


@retry_on_deadlock
def forget_host(host: str) -> None:
    """A host that is no more is in no aggregate."""
    with writer() as session:
        session.execute(delete(_H).where(_H.c.host == host))


# -- zones ----------------------------------------------------------------------------------------

_HAS_SERVERS = "One or more hosts contain instances in this zone"


def _check_zone(
    session: Transaction, known: Iterable[Aggregate], aggregate: Aggregate, zone: str | None, action: str
) -> None:
    """:raises Invalid: the aggregate's hosts are in other zones as well, or servers on them would change theirs."""
    if not zone:
        reason = f"Aggregate {aggregate.name} does not support empty named availability zone"
        raise exception.Invalid(_sentence(action, aggregate, reason))
    others = _zones(known, aggregate.hosts, aggregate.id) - {zone}
    if others:
        raise exception.Invalid(_sentence(action, aggregate, _in_zones(others)))
    if zone != aggregate.availability_zone and _servers(session, aggregate.hosts):
        raise exception.Invalid(_sentence(action, aggregate, _HAS_SERVERS))


def _zones(known: Iterable[Aggregate], hosts: Collection[str], besides: int) -> set[str]:
    """The zones that other aggregates make of any of these hosts."""
    return {
        each.availability_zone
        for each in known
        if each.id != besides and each.availability_zone is not None and not set(hosts).isdisjoint(each.hosts)
    }


def _servers(session: Transaction, hosts: Collection[str]) -> bool:
    query = select(func.count()).select_from(_I).where(_I.c.host.in_([*hosts]), _I.c.deleted_at.is_(None))
    return bool(hosts) and int(session.execute(query).scalar_one()) > 0


def _pinned(session: Transaction, host: str, zone: str | None) -> bool:
    """Whether servers on a host asked for a zone other than this one."""
    mine = _I.c.pinned_availability_zone
    query = select(func.count()).select_from(_I).where(_I.c.host == host, _I.c.deleted_at.is_(None), mine.is_not(None))
    return int(session.execute(query if zone is None else query.where(mine != zone)).scalar_one()) > 0


def _in_zones(zones: Iterable[str]) -> str:
    return f"One or more hosts already in availability zone(s) {sorted(zones)}"


def _sentence(action: str, aggregate: Aggregate, reason: str) -> str:
    return f"{action} {aggregate.id}. Reason: {reason}."
