"""Claims: what servers hold of hypervisors, sold by compare-and-swap so that the last slot is sold once.

A consumer is a server or, while it moves, its migration: that one holds the claim on the side which the server does not
use. ``instance_uuid`` of a claim is the uuid of either.

``compute_nodes.*_used`` is always the sum of the node's allocations: both change in one transaction, guarded by what
the node has: ``used + wanted <= (total - reserved) * ratio``.
"""

from __future__ import annotations

import builtins
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, delete, func, insert, not_, or_, select, update
from sqlalchemy.exc import IntegrityError

from nova_lite import exception
from nova_lite.db.models import Allocation as Model
from nova_lite.db.models import ComputeNode, Instance, Migration
from nova_lite.db.session import reader, retry_on_deadlock, writer
from nova_lite.db.transaction import Transaction
from nova_lite.db.writes import affected
from nova_lite.objects import Allocation
from nova_lite.objects.migration import ENDED

_T = Model.__table__
_N = ComputeNode.__table__
_I = Instance.__table__
_M = Migration.__table__
_SIZES = (_T.c.vcpus, _T.c.memory_mb, _T.c.disk_gb)
_USED = (_N.c.vcpus_used, _N.c.memory_mb_used, _N.c.local_gb_used)
_CAPACITY: tuple[ColumnElement[float], ...] = (
    (_N.c.vcpus - _N.c.reserved_host_cpus) * _N.c.cpu_allocation_ratio,
    (_N.c.memory_mb - _N.c.reserved_host_memory_mb) * _N.c.ram_allocation_ratio,
    (_N.c.local_gb - _N.c.reserved_host_disk_mb / 1024.0) * _N.c.disk_allocation_ratio,
)
_COLUMNS = select(_T.c.instance_uuid, _T.c.node_uuid, *_SIZES)


@dataclass(frozen=True)
class Mismatch:
    """A node whose ``*_used`` is not the sum of its allocations, or is more than it has; (vCPUs, MiB, GiB) each."""

    node_uuid: str
    recorded: tuple[int, ...]
    actual: tuple[int, ...]
    capacity: tuple[float, ...]


# -- reading --------------------------------------------------------------------------------------


def of_instance(instance_uuid: str) -> builtins.list[Allocation]:
    """What one server holds, oldest claim first."""
    return of_instances([instance_uuid]).get(instance_uuid, [])


def of_instances(instance_uuids: Iterable[str]) -> dict[str, builtins.list[Allocation]]:
    """What each of these servers holds; those that hold nothing are left out."""
    found: dict[str, builtins.list[Allocation]] = {}
    with reader() as session:
        for row in session.execute(_COLUMNS.where(_T.c.instance_uuid.in_([*instance_uuids])).order_by(_T.c.id)):
            found.setdefault(row.instance_uuid, []).append(Allocation(*row))
    return found


def list(node_uuid: str | None = None) -> builtins.list[Allocation]:  # noqa: A001
    """All claims, or those on one node, oldest first."""
    query = _COLUMNS.order_by(_T.c.id)
    with reader() as session:
        rows = session.execute(query if node_uuid is None else query.where(_T.c.node_uuid == node_uuid))
        return [Allocation(*row) for row in rows]


def audit() -> builtins.list[Mismatch]:
    """Nodes whose books are wrong, seen at one moment; empty when invariant I4 holds."""
    held = select(_T.c.node_uuid, *(func.sum(size).label(size.name) for size in _SIZES)).group_by(_T.c.node_uuid)
    sums = held.subquery()
    totals = [func.coalesce(sums.c[size.name], 0) for size in _SIZES]
    query = (
        select(_N.c.uuid, *_USED, *totals, *_CAPACITY)
        .select_from(_N.outerjoin(sums, sums.c.node_uuid == _N.c.uuid))
        .where(
            or_(
                *(used != total for used, total in zip(_USED, totals, strict=True)),
                *(used > capacity for used, capacity in zip(_USED, _CAPACITY, strict=True)),
            )
        )
        .order_by(_N.c.id)
    )
    with reader() as session:
        rows = session.execute(query).all()
    return [_mismatch(row) for row in rows]


def _mismatch(row: Row[Any]) -> Mismatch:
    numbers = [*row][1:]
    return Mismatch(
        row[0], tuple(numbers[:3]), tuple(int(n) for n in numbers[3:6]), tuple(float(n) for n in numbers[6:])
    )


# -- writing --------------------------------------------------------------------------------------


@retry_on_deadlock
def claim(
    node_uuid: str,
    instance_uuid: str,
    vcpus: int,
    memory_mb: int,
    disk_gb: int,
    generation: int | None = None,
    beside: Collection[str] | None = None,
) -> bool:
    """Claim a node for a server: True when it holds exactly this now, False when there is no room.

    A second claim of the same server on the same node changes its size to the new one; an equal one changes nothing.
    With ``generation`` the claim also fails when the node's books changed since that generation was read, with
    ``beside`` when the server holds claims on nodes other than those: the same question, asked twice, was answered.
    """
    wanted = (vcpus, memory_mb, disk_gb)
    mine = and_(_T.c.instance_uuid == instance_uuid, _T.c.node_uuid == node_uuid)
    with writer() as session:
        if beside is not None and _holds_others(session, instance_uuid, {node_uuid, *beside}):
            return False
        held = session.execute(select(*_SIZES).where(mine)).one_or_none()
        if held is not None and tuple(held) == wanted:
            return True
        more = tuple(want - have for want, have in zip(wanted, held or (0, 0, 0), strict=True))
        if not _book(session, node_uuid, more, generation):
            return False
        sizes = dict(zip(("vcpus", "memory_mb", "disk_gb"), wanted, strict=True))
        if held is not None:
            changed = and_(mine, *(size == have for size, have in zip(_SIZES, held, strict=True)))
            if not affected(session, update(_T).where(changed).values(sizes)):
                raise exception.DatabaseBusy  # somebody changed this very claim since we read it: all again
            return True
        try:
            session.execute(insert(_T).values(instance_uuid=instance_uuid, node_uuid=node_uuid, **sizes))
        except IntegrityError as error:
            raise exception.DatabaseBusy from error  # the same claim was written while we booked: all again
    return True


def _holds_others(session: Transaction, instance_uuid: str, node_uuids: Collection[str]) -> bool:
    # Claims of one server wait for each other here; SQLite has one writer anyway.
    session.execute(select(_I.c.id).where(_I.c.uuid == instance_uuid).with_for_update())
    others = select(_T.c.id).where(_T.c.instance_uuid == instance_uuid, _T.c.node_uuid.not_in([*node_uuids]))
    return session.execute(others.limit(1)).first() is not None


def _book(session: Transaction, node_uuid: str, more: tuple[int, ...], generation: int | None) -> bool:
    """Add to what is used of a node where it fits; what is not asked for may be overdrawn already."""
    fits = [
        used + amount <= capacity
        for used, amount, capacity in zip(_USED, more, _CAPACITY, strict=True)
        if amount > 0
    ]  # fmt: skip
    if generation is not None:
        fits.append(_N.c.generation == generation)
    values = {used.name: used + amount for used, amount in zip(_USED, more, strict=True)}
    booked = update(_N).where(_N.c.uuid == node_uuid, *fits).values(**values, generation=_N.c.generation + 1)
    return affected(session, booked) > 0


@retry_on_deadlock
def release(instance_uuid: str, node_uuid: str | None = None) -> int:
    """Give back what a server holds, of one node or of all; how many claims there were (0 when said again)."""
    query = select(_T.c.id, _T.c.node_uuid, *_SIZES).where(_T.c.instance_uuid == instance_uuid)
    if node_uuid is not None:
        query = query.where(_T.c.node_uuid == node_uuid)
    released = 0
    with writer() as session:
        # nodes in one order for everybody, each before its claim: transactions wait in a queue, not in a ring
        for row in session.execute(query.order_by(_T.c.node_uuid)).all():
            _book(session, row.node_uuid, (-row.vcpus, -row.memory_mb, -row.disk_gb), None)
            if not affected(session, delete(_T).where(_T.c.id == row.id)):
                raise exception.DatabaseBusy  # released by somebody else meanwhile: undo the booking, look again
            released += 1
    return released


@retry_on_deadlock
def transfer(old_consumer: str, new_consumer: str) -> int:
    """What one consumer holds becomes another's, the nodes' books unchanged; how many claims (0 when said again).

    The new one must hold nothing on these nodes: release that first.
    """
    moved = update(_T).where(_T.c.instance_uuid == old_consumer).values(instance_uuid=new_consumer)
    with writer() as session:
        return affected(session, moved)


def release_orphans() -> int:
    """Give back what servers hold that are no longer there, and migrations that ended; how many consumers that were."""
    alive = select(_I.c.id).where(_I.c.uuid == _T.c.instance_uuid, _I.c.deleted_at.is_(None)).exists()
    ended = tuple(str(status) for status in ENDED)
    moving = select(_M.c.id).where(_M.c.uuid == _T.c.instance_uuid, _M.c.status.not_in(ended)).exists()
    with reader() as session:
        orphans = session.scalars(select(_T.c.instance_uuid).where(not_(alive), not_(moving)).distinct()).all()
    return sum(bool(release(uuid)) for uuid in orphans)


@retry_on_deadlock
def repair(node_uuid: str) -> bool:
    """Set a node's books to the sum of its allocations; False when there is no such node."""
    with writer() as session:
        session.execute(select(_N.c.id).where(_N.c.uuid == node_uuid).with_for_update())
        totals = {
            used.name: select(func.coalesce(func.sum(size), 0)).where(_T.c.node_uuid == node_uuid).scalar_subquery()
            for used, size in zip(_USED, _SIZES, strict=True)
        }
        fixed = update(_N).where(_N.c.uuid == node_uuid).values(**totals, generation=_N.c.generation + 1)
        return affected(session, fixed) > 0
