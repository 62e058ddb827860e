"""What is used, counted in guard rows; and limits that differ from the configured ones.

A guard row per scope (``project`` or ``user``), id and resource is locked, compared and raised in the transaction that
makes the thing counted, so that of any number of requests at the limit exactly as many succeed as there is room for.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Table, and_, case, delete, func, literal, not_, select, union_all, update

from nova_lite import exception
from nova_lite.compute.task_states import TaskState
from nova_lite.compute.vm_states import VmState
from nova_lite.db.models import Instance, KeyPair, Migration, Quota, QuotaClass, QuotaUsage, ServerGroup
from nova_lite.db.session import reader, retry_on_deadlock, writer
from nova_lite.db.transaction import Transaction
from nova_lite.db.writes import affected, insert_missing
from nova_lite.objects.migration import ENDED

LOG = logging.getLogger(__name__)

PROJECT = "project"
USER = "user"
DEFAULT_CLASS = "default"
_UNLIMITED = -1

_U = QuotaUsage.__table__
_Q = Quota.__table__
_C = QuotaClass.__table__
_I = Instance.__table__
_K = KeyPair.__table__
_G = ServerGroup.__table__
_M = Migration.__table__
_ENDED = tuple(str(status) for status in ENDED)


@dataclass(frozen=True)
class Mismatch:
    """A guard row that does not equal what exists."""

    scope: str
    scope_id: str
    resource: str
    recorded: int
    actual: int


# -- usage ----------------------------------------------------------------------------------------


def usage(scope: str, scope_id: str) -> dict[str, int]:
    """What is used; a resource that was never used is left out."""
    query = select(_U.c.resource, _U.c.used).where(_U.c.scope == scope, _U.c.scope_id == scope_id)
    with reader() as session:
        return {row.resource: row.used for row in session.execute(query)}


@retry_on_deadlock
def reserve(scope: str, scope_id: str, deltas: Mapping[str, int], limits: Mapping[str, int]) -> None:
    """Count more of some resources, all or none. ``limits`` -1, or no limit named, is unlimited.

    :raises OverQuota: a limit would be passed; nothing was counted.
    """
    wanted = {name: delta for name, delta in sorted(deltas.items()) if delta > 0}
    if not wanted:
        return
    with writer() as session:
        used = _locked(session, scope, scope_id, wanted)
        check(wanted, used, limits)
        _add(session, scope, scope_id, wanted)


@retry_on_deadlock
def release(scope: str, scope_id: str, deltas: Mapping[str, int]) -> None:
    """Count less of some resources."""
    given = {name: delta for name, delta in sorted(deltas.items()) if delta > 0}
    if not given:
        return
    with writer() as session:
        used = _locked(session, scope, scope_id, given)
        for name, delta in given.items():
            if used[name] < delta:
                LOG.error("Quota of %s %s: %d %s released, %d were used", scope, scope_id, delta, name, used[name])
        _add(session, scope, scope_id, {name: -min(delta, used[name]) for name, delta in given.items()})


def _locked(session: Transaction, scope: str, scope_id: str, names: Iterable[str]) -> dict[str, int]:
    """Lock the guard rows, in one order for everybody, making those that are missing; what they say."""
    query = (
        select(_U.c.resource, _U.c.used)
        .where(_U.c.scope == scope, _U.c.scope_id == scope_id, _U.c.resource.in_([*names]))
        .order_by(_U.c.resource)
        .with_for_update()
    )
    used = {row.resource: row.used for row in session.execute(query)}
    missing = [name for name in names if name not in used]
    if missing:
        for name in missing:
            insert_missing(session, _U, {"scope": scope, "scope_id": scope_id, "resource": name, "used": 0})
        used = {row.resource: row.used for row in session.execute(query)}
    return used


def check(wanted: Mapping[str, int], used: Mapping[str, int], limits: Mapping[str, int]) -> None:
    """Say which limits would be passed. :raises OverQuota: some would."""
    overs = [
        name
        for name, delta in sorted(wanted.items())
        if limits.get(name, _UNLIMITED) != _UNLIMITED and used[name] + delta > limits[name]
    ]
    if overs:
        raise exception.OverQuota(
            overs=", ".join(overs),
            requested=", ".join(str(wanted[name]) for name in overs),
            used=", ".join(str(used[name]) for name in overs),
            limits=", ".join(str(limits[name]) for name in overs),
        )


def _add(session: Transaction, scope: str, scope_id: str, deltas: Mapping[str, int]) -> None:
    amount = case({name: literal(delta) for name, delta in deltas.items()}, value=_U.c.resource, else_=0)
    session.execute(
        update(_U)
        .where(_U.c.scope == scope, _U.c.scope_id == scope_id, _U.c.resource.in_([*deltas]))
        .values(used=_U.c.used + amount)
    )


# -- audit ----------------------------------------------------------------------------------------


def counting() -> ColumnElement[bool]:
    """The servers that count: live ones, but for those that are soft-deleted and not being restored."""
    resting = and_(_I.c.vm_state == VmState.SOFT_DELETED.value, _task_is_not(TaskState.RESTORING))
    return and_(_I.c.deleted_at.is_(None), not_(resting))


def _task_is_not(task: TaskState) -> ColumnElement[bool]:
    return func.coalesce(_I.c.task_state, "") != task.value


def audit() -> list[Mismatch]:
    """Guard rows that do not equal the live servers, moves and key pairs; empty when invariant I7 holds."""
    live, counted = _I.c.deleted_at.is_(None), counting()
    moving = _I.join(_M, and_(_M.c.instance_uuid == _I.c.uuid, _M.c.status.not_in(_ENDED), live))
    counts = union_all(
        select(
            literal(PROJECT).label("scope"), _I.c.project_id.label("id"), literal("instances").label("resource"),
            func.count().label("n"),
        ).where(counted).group_by(_I.c.project_id),
        select(literal(PROJECT), _I.c.project_id, literal("cores"), func.sum(_I.c.vcpus))
        .where(counted).group_by(_I.c.project_id),
        select(literal(PROJECT), _I.c.project_id, literal("ram"), func.sum(_I.c.memory_mb))
        .where(counted).group_by(_I.c.project_id),
        # a server that moves to another flavor counts for the larger one until it is confirmed or reverted
        select(literal(PROJECT), _I.c.project_id, literal("cores"), func.sum(_M.c.held_vcpus - _I.c.vcpus))
        .select_from(moving).where(_M.c.held_vcpus > _I.c.vcpus).group_by(_I.c.project_id),
        select(literal(PROJECT), _I.c.project_id, literal("ram"), func.sum(_M.c.held_memory_mb - _I.c.memory_mb))
        .select_from(moving).where(_M.c.held_memory_mb > _I.c.memory_mb).group_by(_I.c.project_id),
        select(literal(PROJECT), _G.c.project_id, literal("server_groups"), func.count()).group_by(_G.c.project_id),
        select(literal(USER), _K.c.user_id, literal("key_pairs"), func.count()).group_by(_K.c.user_id),
        # what is recorded counts as less than nothing, so that what is left over is the difference
        select(_U.c.scope, _U.c.scope_id, _U.c.resource, -_U.c.used),
    ).subquery()  # fmt: skip
    difference = func.sum(counts.c.n)
    query = (
        select(counts.c.scope, counts.c.id, counts.c.resource, difference)
        .group_by(counts.c.scope, counts.c.id, counts.c.resource)
        .having(difference != 0)
        .order_by(counts.c.scope, counts.c.id, counts.c.resource)
    )
    found = []
    with reader() as session:
        for scope, scope_id, resource, off in session.execute(query).all():
            recorded = usage(scope, scope_id).get(resource, 0)
            found.append(Mismatch(scope, scope_id, resource, recorded, recorded + int(off)))
    return found


@retry_on_deadlock
def repair() -> list[Mismatch]:
    """Set every wrong guard row right; what was wrong."""
    with writer() as session:
        wrong = audit()
        for each in wrong:
            _locked(session, each.scope, each.scope_id, [each.resource])
            _add(session, each.scope, each.scope_id, {each.resource: each.actual - each.recorded})
    return wrong


# -- limits ---------------------------------------------------------------------------------------


def overrides(project_id: str) -> dict[str, int]:
    """Limits that stand before the configured ones: the default class's, and before those the project's own."""
    query = union_all(
        select(_C.c.resource, _C.c.hard_limit, literal(0).label("rank")).where(_C.c.class_name == DEFAULT_CLASS),
        select(_Q.c.resource, _Q.c.hard_limit, literal(1).label("rank")).where(_Q.c.project_id == project_id),
    ).order_by("rank")
    with reader() as session:
        return {row.resource: row.hard_limit for row in session.execute(query)}


def class_limits(class_name: str) -> dict[str, int]:
    """The limits that a class has of its own."""
    query = select(_C.c.resource, _C.c.hard_limit).where(_C.c.class_name == class_name)
    with reader() as session:
        return {row.resource: row.hard_limit for row in session.execute(query)}


@retry_on_deadlock
def set_limit(project_id: str, resource: str, hard_limit: int) -> None:
    """Give a project its own limit; -1 is unlimited."""
    _set(_Q, {"project_id": project_id, "resource": resource}, hard_limit)


@retry_on_deadlock
def set_class_limit(resource: str, hard_limit: int, class_name: str = DEFAULT_CLASS) -> None:
    """Give all projects of a class a limit; -1 is unlimited."""
    _set(_C, {"class_name": class_name, "resource": resource}, hard_limit)


def _set(table: Table, key: Mapping[str, str], hard_limit: int) -> None:
    mine = and_(*(table.c[name] == value for name, value in key.items()))
    with writer() as session:
        if not affected(session, update(table).where(mine).values(hard_limit=hard_limit)):
            insert_missing(session, table, {**key, "hard_limit": hard_limit})
            session.execute(update(table).where(mine).values(hard_limit=hard_limit))


@retry_on_deadlock
def forget_limits(project_id: str) -> None:
    """A project has the limits of everybody again."""
    with writer() as session:
        session.execute(delete(_Q).where(_Q.c.project_id == project_id))
