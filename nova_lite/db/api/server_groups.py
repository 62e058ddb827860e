"""Groups of servers with a placement policy; where their members are is what the members' claims say.

A group's row is the gate of its members: whoever adds one, or claims a host for one, locks it first. So the policy and
the number of members hold however many do it at once.
"""

from __future__ import annotations

import builtins
from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Row, Select, delete, func, insert, select, union_all, update

from nova_lite import exception
from nova_lite.db.api import quotas, user_quotas
from nova_lite.db.models import Allocation, ComputeNode, Instance, Migration
from nova_lite.db.models import ServerGroup as Model
from nova_lite.db.session import reader, retry_on_deadlock, writer
from nova_lite.db.transaction import Transaction
from nova_lite.db.writes import affected
from nova_lite.objects import GroupRule, ServerGroup
from nova_lite.objects.server_group import MOST_PER_HOST

RESOURCE = "server_groups"
MEMBERS = "server_group_members"

_G = Model.__table__
_I = Instance.__table__
_A = Allocation.__table__
_M = Migration.__table__
_N = ComputeNode.__table__
_COLUMNS = select(_G.c.uuid, _G.c.project_id, _G.c.user_id, _G.c.name, _G.c.policy, _G.c.rules)
_LIVE = _I.c.deleted_at.is_(None)


# -- reading --------------------------------------------------------------------------------------


def get(uuid: str, project_id: str | None = None) -> ServerGroup:
    """One group; with ``project_id`` only if it is that project's. :raises ServerGroupNotFound: there is none."""
    query = _COLUMNS.where(_G.c.uuid == uuid)
    if project_id is not None:
        query = query.where(_G.c.project_id == project_id)
    with reader() as session:
        row = session.execute(query).one_or_none()
        if row is None:
            raise exception.ServerGroupNotFound(group_uuid=uuid)
        return _group(row, _members(session, [uuid]))


def list(project_id: str | None, limit: int, offset: int = 0) -> builtins.list[ServerGroup]:  # noqa: A001
    """A project's groups, or (None) everybody's, oldest first, with their members."""
    query = _COLUMNS.order_by(_G.c.id).limit(limit).offset(offset)
    if project_id is not None:
        query = query.where(_G.c.project_id == project_id)
    with reader() as session:
        rows = session.execute(query).all()
        members = _members(session, [row.uuid for row in rows])
    return [_group(row, members) for row in rows]


def rule(uuid: str | None, besides: str) -> GroupRule | None:
    """What the group asks of the host of the member ``besides``, by where the other members are now.

    None for a server without a group, and for a group that was deleted: it asks nothing any more.
    """
    if uuid is None:
        return None
    with reader() as session:
        row = session.execute(_COLUMNS.where(_G.c.uuid == uuid)).one_or_none()
        return None if row is None else _rule(row, _hosts(session, uuid, besides))


# -- writing --------------------------------------------------------------------------------------


@retry_on_deadlock
def create(group: ServerGroup, limits: Mapping[str, int]) -> None:
    """Write a new group. :raises OverQuota: its project (``limits``) or its user has as many as there may be."""
    values = {name: getattr(group, name) for name in ("uuid", "project_id", "user_id", "name", "policy", "rules")}
    with writer() as session:
        try:
            quotas.reserve(quotas.PROJECT, group.project_id, {RESOURCE: 1}, limits)
            user_quotas.check(group.project_id, group.user_id, {RESOURCE: 1})
        except exception.OverQuota as error:
            raise exception.OverQuota("Quota exceeded, too many server groups.", **error.facts) from None
        session.execute(insert(_G).values(values))


@retry_on_deadlock
def destroy(uuid: str) -> None:
    """Forget a group; its members go on without. :raises ServerGroupNotFound: there is none."""
    with writer() as session:
        row = _locked(session, uuid)
        if row is None:
            raise exception.ServerGroupNotFound(group_uuid=uuid)
        session.execute(update(_I).where(_I.c.server_group == uuid).values(server_group=None))
        if affected(session, delete(_G).where(_G.c.uuid == uuid)):
            quotas.release(quotas.PROJECT, row.project_id, {RESOURCE: 1})


@retry_on_deadlock
def admit(uuid: str, user_id: str, more: int, limits: Mapping[str, int]) -> None:
    """Let so many servers of a user into a group; call it in the transaction that writes them.

    :raises ServerGroupNotFound: it was deleted meanwhile; :raises OverQuota: it may not have so many of that user's.
    """
    with writer() as session:
        if _locked(session, uuid) is None:
            raise exception.ServerGroupNotFound(group_uuid=uuid)
        mine = select(func.count()).select_from(_I).where(_I.c.server_group == uuid, _I.c.user_id == user_id, _LIVE)
        members = int(session.execute(mine).scalar_one())
        if 0 <= limits[MEMBERS] < members + more:
            raise exception.OverQuota("Quota exceeded, too many servers in group")


@retry_on_deadlock
def may_stand(uuid: str, instance_uuid: str, host: str) -> bool:
    """Whether the group's policy lets a member have a claim on ``host``.

    Call it in the transaction that writes the claim: no other member gets one before that has ended.
    """
    with writer() as session:
        row = _locked(session, uuid)
        return row is None or _rule(row, _hosts(session, uuid, instance_uuid)).refusal(host) is None


def _locked(session: Transaction, uuid: str) -> Row[Any] | None:
    return session.execute(_COLUMNS.where(_G.c.uuid == uuid).with_for_update()).one_or_none()


# -- members --------------------------------------------------------------------------------------


def _members(session: Transaction, uuids: Iterable[str]) -> dict[str, builtins.list[str]]:
    """The live members of each of these groups, oldest first."""
    found: dict[str, builtins.list[str]] = {}
    query = select(_I.c.server_group, _I.c.uuid).where(_I.c.server_group.in_([*uuids]), _LIVE).order_by(_I.c.id)
    for group_uuid, uuid in session.execute(query):
        found.setdefault(group_uuid, []).append(uuid)
    return found


def _hosts(session: Transaction, uuid: str, besides: str) -> dict[str, int]:
    """host -> members with a claim on it, less one member; a move holds its host until it is confirmed or reverted."""
    others = (_I.c.server_group == uuid, _I.c.uuid != besides, _LIVE)
    own: Select[Any] = select(_I.c.uuid, _A.c.node_uuid).join_from(_I, _A, _A.c.instance_uuid == _I.c.uuid)
    moves: Select[Any] = (
        select(_I.c.uuid, _A.c.node_uuid)
        .join_from(_I, _M, _M.c.instance_uuid == _I.c.uuid)
        .join(_A, _A.c.instance_uuid == _M.c.uuid)
    )
    held = union_all(own.where(*others), moves.where(*others)).subquery()
    query = (
        select(_N.c.host, func.count(held.c.uuid.distinct()))
        .join_from(held, _N, _N.c.uuid == held.c.node_uuid)
        .group_by(_N.c.host)
    )
    return {host: int(number) for host, number in session.execute(query)}


def _rule(row: Row[Any], hosts: dict[str, int]) -> GroupRule:
    return GroupRule(row.uuid, row.policy, int(row.rules.get(MOST_PER_HOST, 1)), hosts)


def _group(row: Row[Any], members: Mapping[str, builtins.list[str]]) -> ServerGroup:
    values = dict(row._mapping)
    return ServerGroup(**values, members=tuple(members.get(row.uuid, ())))
