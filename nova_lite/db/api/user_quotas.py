"""Limits of single users within a project, which few have: what they use is counted, not kept in books.

``check`` is called after the project's guard rows of the same resources were locked, so that its count holds until the
transaction ends.
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import and_, delete, func, select, update

from nova_lite.db.api import quotas
from nova_lite.db.models import Instance, ServerGroup, UserQuota
from nova_lite.db.session import reader, retry_on_deadlock, writer
from nova_lite.db.writes import affected, insert_missing

_T = UserQuota.__table__
_I = Instance.__table__
_G = ServerGroup.__table__


def limits(project_id: str, user_id: str) -> dict[str, int]:
    """The user's own limits; a resource without one is left out."""
    query = select(_T.c.resource, _T.c.hard_limit).where(_T.c.project_id == project_id, _T.c.user_id == user_id)
    with reader() as session:
        return {row.resource: row.hard_limit for row in session.execute(query)}


def sums(project_id: str) -> dict[str, int]:
    """What a project's limits must at least be: the sum of its users' own, unlimited ones left out."""
    query = (
        select(_T.c.resource, func.sum(_T.c.hard_limit))
        .where(_T.c.project_id == project_id, _T.c.hard_limit > 0)
        .group_by(_T.c.resource)
    )
    with reader() as session:
        return {resource: int(total) for resource, total in session.execute(query)}


def usage(project_id: str, user_id: str) -> dict[str, int]:
    """What a user uses of a project: what is counted by project, counted for the user."""
    servers = select(
        func.count(), func.coalesce(func.sum(_I.c.vcpus), 0), func.coalesce(func.sum(_I.c.memory_mb), 0)
    ).where(_I.c.project_id == project_id, _I.c.user_id == user_id, quotas.counting())
    groups = select(func.count()).select_from(_G).where(_G.c.project_id == project_id, _G.c.user_id == user_id)
    with reader() as session:
        instances, cores, ram = session.execute(servers).one()
        return {
            "instances": int(instances),
            "cores": int(cores),
            "ram": int(ram),
            "server_groups": int(session.execute(groups).scalar_one()),
        }


def check(project_id: str, user_id: str, deltas: Mapping[str, int]) -> None:
    """:raises OverQuota: the user has limits of his own, and these deltas would pass one."""
    own = limits(project_id, user_id)
    wanted = {name: delta for name, delta in deltas.items() if delta > 0 and name in own}
    if wanted:
        quotas.check(wanted, usage(project_id, user_id), own)


@retry_on_deadlock
def set_limit(project_id: str, user_id: str, resource: str, hard_limit: int) -> None:
    """Give a user his own limit; -1 is unlimited."""
    key = {"project_id": project_id, "user_id": user_id, "resource": resource}
    mine = and_(*(_T.c[name] == value for name, value in key.items()))
    with writer() as session:
        if not affected(session, update(_T).where(mine).values(hard_limit=hard_limit)):
            insert_missing(session, _T, {**key, "hard_limit": hard_limit})
            session.execute(update(_T).where(mine).values(hard_limit=hard_limit))


@retry_on_deadlock
def forget(project_id: str, user_id: str | None = None) -> None:
    """A user, or (None) every user of a project, has the project's limits again."""
    mine = [_T.c.project_id == project_id]
    if user_id is not None:
        mine.append(_T.c.user_id == user_id)
    with writer() as session:
        session.execute(delete(_T).where(*mine))
