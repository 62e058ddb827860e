"""What an audit says: a rule that does not hold, for one thing, in one sentence, and what to do about it."""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nova_lite.audit.world import World

# ARCHITECTURE section 5; I10 (the API's answers) and the memory of processes (I11) cannot be seen from outside.
INVARIANTS = tuple(f"I{number}" for number in range(1, 13))


# What makes two findings the same: rule, kind and id of the subject, host.
Key = tuple[str, str, str, str | None]


class Repair(enum.StrEnum):
    """What may be done without asking: the database proves that nobody needs what goes. See repair.py."""

    RELEASE_CLAIM = "release claim"
    REBOOK_NODE = "rebook node"
    RECOUNT_QUOTA = "recount quota"
    LOOK_AROUND = "let the host look around"
    FORGET_TOKENS = "forget console tokens"
    FORGET_KEYS = "forget idempotency keys"
    FORGET_PASSWORD = "forget password"
    CLOSE_EVENTS = "close events"
    GIVE_PORT_BACK = "give port back"
    GIVE_VOLUME_BACK = "give volume back"
    REMOVE_IMAGE = "remove image"


@dataclass(frozen=True)
class Complaint:
    """One thing (``kind`` and ``ident``) that is not as it should be.

    ``server`` is whose operations excuse it, ``host`` where it is. ``repair`` only where it is proved to be stale.
    """

    kind: str
    ident: str
    sentence: str
    server: str | None = None
    host: str | None = None
    repair: Repair | None = None


@dataclass(frozen=True)
class Rule:
    """One sentence that holds of a cloud at rest.

    ``advice`` is what an operator does where nothing may be done without asking. ``always``: also of a server that
    something is being done to.
    """

    name: str
    invariant: str
    advice: str
    check: Callable[[World], Iterable[Complaint]]
    always: bool = False


@dataclass(frozen=True)
class Finding:
    """A complaint and the rule that it is of."""

    rule: Rule
    complaint: Complaint

    @property
    def invariant(self) -> str:
        return self.rule.invariant

    @property
    def subject(self) -> tuple[str, str]:
        return self.complaint.kind, self.complaint.ident

    @property
    def key(self) -> Key:
        """The same for the same finding at another look."""
        return self.rule.name, self.complaint.kind, self.complaint.ident, self.complaint.host

    @property
    def repair(self) -> Repair | None:
        return self.complaint.repair

    @property
    def advice(self) -> str:
        """What to do."""
        if self.repair is not None:
            return f"nova-lite-manage audit --delete-stale ({self.repair})"
        return self.rule.advice

    def __str__(self) -> str:
        return f"{self.invariant}: {self.complaint.sentence}"
