"""ServerGroup, and GroupRule: what its policy asks of the host of one more member."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field

from nova_lite.objects.base import TravellingObject


class GroupPolicy(enum.StrEnum):
    """Where the servers of a group go; the soft ones are wishes, the others rules."""

    AFFINITY = "affinity"
    ANTI_AFFINITY = "anti-affinity"
    SOFT_AFFINITY = "soft-affinity"
    SOFT_ANTI_AFFINITY = "soft-anti-affinity"


# The rule of anti-affinity: how many members a host may have.
MOST_PER_HOST = "max_server_per_host"


@dataclass(frozen=True)
class ServerGroup(TravellingObject):
    """A group with its members: the uuids of its live servers, oldest first."""

    uuid: str
    project_id: str
    user_id: str
    name: str
    policy: str
    rules: dict[str, int] = field(default_factory=dict)
    members: tuple[str, ...] = ()


@dataclass(frozen=True)
class GroupRule(TravellingObject):
    """A group's policy and where its other members are: ``hosts`` maps a host's name to how many it has."""

    uuid: str
    policy: str
    most_per_host: int = 1
    hosts: dict[str, int] = field(default_factory=dict)

    def refusal(self, host: str) -> str | None:
        """Why one more member may not be on ``host``; None when it may."""
        here = self.hosts.get(host, 0)
        if self.policy == GroupPolicy.AFFINITY and self.hosts and not here:
            members = sum(self.hosts.values())
            return f"its server group has {members} member(s) elsewhere and wants them together"
        if self.policy == GroupPolicy.ANTI_AFFINITY and here >= self.most_per_host:
            return f"it has {here} member(s) of the server group, which allows {self.most_per_host} a host"
        return None
