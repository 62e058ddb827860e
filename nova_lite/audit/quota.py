"""What is counted is what exists (I7)."""

from __future__ import annotations

from collections.abc import Iterable

from nova_lite.audit.finding import Complaint, Repair, Rule
from nova_lite.audit.world import World


def _counts(world: World) -> Iterable[Complaint]:
    for wrong in world.quota:
        what = f"{wrong.scope} {wrong.scope_id} is counted {wrong.recorded} {wrong.resource} and has {wrong.actual}"
        ident = f"{wrong.scope}/{wrong.scope_id}/{wrong.resource}"
        yield Complaint("quota", ident, what, repair=Repair.RECOUNT_QUOTA)


RULES = (Rule("quota-is-counted", "I7", "", _counts),)
