"""All rules, and the one function that judges a world by them."""

from __future__ import annotations

from nova_lite.audit import (
    claims,
    consoles,
    disks,
    groups,
    guests,
    idempotency,
    images,
    moves,
    operations,
    ports,
    quota,
    servers,
    volumes,
)
from nova_lite.audit.finding import Finding, Rule
from nova_lite.audit.world import World

RULES: tuple[Rule, ...] = (
    *servers.RULES,
    *operations.RULES,
    *moves.RULES,
    *claims.RULES,
    *groups.RULES,
    *quota.RULES,
    *guests.RULES,
    *disks.RULES,
    *images.RULES,
    *volumes.RULES,
    *ports.RULES,
    *consoles.RULES,
    *idempotency.RULES,
)


def findings(world: World) -> list[Finding]:
    """What does not hold. What an operation is being done to is excused, where the rule allows it."""
    busy = world.busy
    return [
        Finding(rule, complaint)
        for rule in RULES
        for complaint in rule.check(world)
        if rule.always or complaint.server not in busy
    ]
