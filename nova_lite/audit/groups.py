"""The policy of each server group, by where its members' claims are (I4)."""

from __future__ import annotations

import collections
from collections.abc import Iterable

from nova_lite.audit.finding import Complaint, Rule
from nova_lite.audit.world import World
from nova_lite.objects import GroupPolicy, ServerGroup
from nova_lite.objects.server_group import MOST_PER_HOST


def _where(world: World) -> dict[str, set[str]]:
    """The hosts of each server's claims."""
    hosts = world.node_hosts
    homes: dict[str, set[str]] = {}
    for claim in world.claims:
        homes.setdefault(claim.instance_uuid, set()).add(hosts.get(claim.node_uuid, ""))
    return homes


def _policies(world: World) -> Iterable[Complaint]:
    homes, busy = _where(world), world.busy
    for group in world.groups:
        if not busy.isdisjoint(group.members):
            continue
        where = collections.Counter(host for uuid in group.members for host in homes.get(uuid, ()))
        broken = _broken(group, where)
        if broken:
            yield Complaint("server_group", group.uuid, f"group {group.uuid} {broken} and has {dict(where)}")


def _broken(group: ServerGroup, where: collections.Counter[str]) -> str:
    most = group.rules.get(MOST_PER_HOST, 1)
    if group.policy == GroupPolicy.ANTI_AFFINITY and max(where.values(), default=0) > most:
        return f"allows {most} member(s) a host"
    if group.policy == GroupPolicy.AFFINITY and len(where) > 1:
        return "wants its members together"
    return ""


RULES = (Rule("group-policy-holds", "I4", "migrate members; was one forced to a host?", _policies),)
