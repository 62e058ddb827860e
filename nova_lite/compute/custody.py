"""What a host does with a guest that it finds: a table of the guest's mark, what its server's row says, and its power.

Nothing is destroyed without proof, which is one of two: the server is deleted, or it lives elsewhere under a newer
generation and nothing of a move may bring it back. What a move that was given up left at its source stays until its
server is out of error: the other copy may not be whole. A guest that may be a second copy, or of nobody, is stopped and
kept (quarantine). One that is *newer* than its row says that the database is behind: it is left alone and reported,
like all that carries no mark of ours.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable
from dataclasses import dataclass


class Mark(enum.StrEnum):
    """The generation that the guest carries, beside the server's; disks without a guest are older than any."""

    NONE = "none"
    OLDER = "older"
    EQUAL = "equal"
    NEWER = "newer"


class Place(enum.StrEnum):
    """What the server's row says, seen from the host that asks."""

    HERE = "here"
    STOPPED = "here, stopped"
    SOFT_DELETED = "here, soft-deleted"
    EVACUATING = "here, being built again elsewhere"
    MOVING = "moving"
    UNPROVED = "elsewhere, in error, after a move from here that was given up"
    SENT = "elsewhere, sent here by a live migration that was given up"
    ELSEWHERE = "elsewhere"
    DELETED = "deleted"
    ABSENT = "absent"


class Power(enum.StrEnum):
    """RUNNING is whatever has a process; DISKS are disks without a guest."""

    RUNNING = "running"
    OFF = "off"
    DISKS = "disks"


class Verdict(enum.StrEnum):
    """NOTE: left alone and reported. QUARANTINE: power cut, no autostart, kept with a note of why and since when.

    FOLLOW is the conductor's to do: the server's row follows its guest, which is left alone.
    """

    LEAVE = "leave"
    FOLLOW = "follow"
    NOTE = "note"
    STOP = "stop"
    QUARANTINE = "quarantine"
    DESTROY = "destroy"


class DeletedAction(enum.StrEnum):
    """[DEFAULT] running_deleted_instance_action: what becomes of the guest of a deleted server."""

    NOOP = "noop"
    LOG = "log"
    SHUTDOWN = "shutdown"
    REAP = "reap"


@dataclass(frozen=True)
class Rule:
    """An empty column means any."""

    places: frozenset[Place]
    marks: frozenset[Mark]
    powers: frozenset[Power]
    verdict: Verdict
    why: str


def _rule(place: Iterable[Place], mark: Iterable[Mark], power: Iterable[Power], verdict: Verdict, why: str) -> Rule:
    return Rule(frozenset(place), frozenset(mark), frozenset(power), verdict, why)


_HOME = (Place.HERE, Place.STOPPED, Place.SOFT_DELETED, Place.EVACUATING)
_AWAY = (Place.SENT, Place.ELSEWHERE)
_OFF = (Place.STOPPED, Place.SOFT_DELETED)
_NOT_NEWER = (Mark.OLDER, Mark.EQUAL)

# The first that fits decides.
RULES: tuple[Rule, ...] = (
    _rule([Place.MOVING], [], [], Verdict.LEAVE, "the server is on its way"),
    _rule(_HOME, [], [Power.DISKS], Verdict.LEAVE, "the server lives here"),
    _rule([Place.ABSENT], [], [Power.DISKS], Verdict.NOTE, "the database does not know whose disks these are"),
    _rule([], [Mark.NONE], [], Verdict.NOTE, "the guest carries no mark of ours"),
    _rule([Place.DELETED], [], [], Verdict.DESTROY, "the server is deleted"),
    _rule([Place.UNPROVED], _NOT_NEWER, [Power.RUNNING], Verdict.QUARANTINE,
          "the server is in error elsewhere, and this may be its only whole copy"),
    _rule([Place.UNPROVED], [], [], Verdict.NOTE,
          "the server is in error elsewhere, and this may be its only whole copy"),
    _rule([Place.SENT], [Mark.NEWER], [Power.RUNNING], Verdict.FOLLOW,
          "the guest went over before its live migration was given up"),
    _rule(_OFF, _NOT_NEWER, [Power.RUNNING], Verdict.STOP, "the server is stopped, and its guest was started"),
    _rule([Place.EVACUATING], _NOT_NEWER, [Power.RUNNING], Verdict.STOP, "the server is being built again elsewhere"),
    _rule(_HOME, _NOT_NEWER, [], Verdict.LEAVE, "the server lives here"),
    _rule(_AWAY, [Mark.OLDER], [], Verdict.DESTROY, "the server lives elsewhere under a newer generation"),
    _rule(_AWAY, [Mark.EQUAL], [Power.RUNNING], Verdict.QUARANTINE,
          "the server is not here, and the guest is of its present generation"),
    _rule([Place.ABSENT], [], [Power.RUNNING], Verdict.QUARANTINE, "the database does not know the server"),
    _rule(_AWAY, [Mark.EQUAL], [], Verdict.NOTE, "the server is not here; the guest is off"),
    _rule([Place.ABSENT], [], [], Verdict.NOTE, "the database does not know the server; the guest is off"),
    _rule([], [Mark.NEWER], [], Verdict.NOTE, "the guest is newer than the database: is that an older copy?"),
)  # fmt: skip


def judge(place: Place, mark: Mark, power: Power) -> Rule:
    """The rule that decides."""
    return next(rule for rule in RULES if _fits(rule, place, mark, power))


def _fits(rule: Rule, place: Place, mark: Mark, power: Power) -> bool:
    columns = ((rule.places, place), (rule.marks, mark), (rule.powers, power))
    return all(not wanted or value in wanted for wanted, value in columns)


def mark_of(generation: int | None, of_server: int | None, has_guest: bool) -> Mark:
    """``of_server`` None: there is no row to compare with, so that any mark is as good as another."""
    if generation is None:
        return Mark.NONE if has_guest else Mark.OLDER
    if of_server is None or generation == of_server:
        return Mark.EQUAL
    return Mark.OLDER if generation < of_server else Mark.NEWER


def of_deleted(verdict: Verdict, power: Power, action: DeletedAction) -> Verdict:
    """What is done of a verdict on a deleted server's guest, as the operator wishes."""
    if verdict is not Verdict.DESTROY or action is DeletedAction.REAP:
        return verdict
    if action is DeletedAction.SHUTDOWN and power is Power.RUNNING:
        return Verdict.QUARANTINE
    return Verdict.LEAVE if action is DeletedAction.NOOP else Verdict.NOTE
