"""Accepted requests end (I2), delete wins (I6), and the log of each is complete, ordered and closed (I9)."""

from __future__ import annotations

import collections
import datetime
from collections.abc import Iterable, Iterator

from nova_lite.audit.finding import Complaint, Repair, Rule
from nova_lite.audit.world import World
from nova_lite.compute import actions
from nova_lite.objects import OPEN_STATES, Operation, OperationState

# How much the clocks of two hosts may differ.
_SKEW = datetime.timedelta(seconds=5)


def _about(operation: Operation, text: str, repair: Repair | None = None) -> Complaint:
    sentence = f"operation {operation.id} ({operation.action} of {operation.instance_uuid}) {text}"
    return Complaint("operation", str(operation.id), sentence, operation.instance_uuid, operation.host, repair)


def _is_exclusive(operation: Operation) -> bool:
    """Whether its action holds the server's task state, so that no other such may run beside it."""
    try:
        return actions.by_name(operation.action).sets_task is not None
    except KeyError:
        return False


def _open(world: World) -> Iterator[Operation]:
    return (each for each in world.operations if each.state in OPEN_STATES)


def _ended(world: World) -> Iterator[Operation]:
    return (each for each in world.operations if each.state not in OPEN_STATES)


def _waits_for_its_host(world: World, operation: Operation) -> bool:
    """What is bound of a server whose host is not heard waits for that host, and holds nobody up."""
    return operation.action == actions.SETTLE.name and operation.host is not None and operation.host not in world.hosts


def _stuck(world: World) -> Iterable[Complaint]:
    for each in _open(world):
        if world.strict and not _waits_for_its_host(world, each):
            yield _about(each, f"is {each.state}")
        elif not world.is_under_way(each):
            yield _about(each, f"is {each.state}, late, and nobody has it: {each.message or 'no word of it'}")
        elif each.deadline is None and each.start_time is not None and each.start_time + world.patience < world.now:
            yield _about(each, f"is tried since {each.start_time:%Y-%m-%d %H:%M}: {each.message or 'no word of it'}")


def _broken(world: World) -> Iterable[Complaint]:
    for number, why in world.broken.items():
        yield Complaint("operation", str(number), f"operation {number} cannot be read: {why}")


def _silent(world: World) -> Iterable[Complaint]:
    for each in _ended(world):
        if each.state is OperationState.FAILED and not each.message:
            yield _about(each, "failed and says no reason")


def _unaccepted(world: World) -> Iterable[Complaint]:
    """Only where everything that ever happened is known."""
    made = {each.instance_uuid for each in world.operations if each.action == actions.CREATE.name}
    for uuid in world.servers if world.since is None else ():
        if uuid not in made:
            yield Complaint("server", uuid, f"server {uuid} was made by no operation", uuid)


def _after_death(world: World) -> Iterable[Complaint]:
    for each in _open(world):
        if each.instance_uuid not in world.servers and each.instance_uuid not in world.touched:
            yield _about(each, f"is {each.state} and its server is gone")


def _open_events(world: World) -> Iterable[Complaint]:
    for each in _ended(world):
        if any(event.finish_time is None for event in each.events):
            yield _about(each, "ended and has an event without an end", Repair.CLOSE_EVENTS)


def _disorder(world: World) -> Iterable[Complaint]:
    for each in world.operations:
        starts = [each.start_time, *(event.start_time for event in each.events)]
        spans = [(each.start_time, each.finish_time), *((event.start_time, event.finish_time) for event in each.events)]
        falls = any(
            later is not None and sooner is not None and later + _SKEW < sooner
            for sooner, later in zip(starts, starts[1:], strict=False)
        )
        if falls or any(end is not None and begin is not None and end + _SKEW < begin for begin, end in spans):
            yield _about(each, "has events in disorder")


def _half_ended(world: World) -> Iterable[Complaint]:
    for each in world.operations:
        if (each.finish_time is None) != (each.state in OPEN_STATES):
            yield _about(each, f"is {each.state} and ended {each.finish_time or 'at no time'}")


def _crowds(world: World) -> Iterable[Complaint]:
    by_server = collections.defaultdict(list)
    for each in _open(world):
        if _is_exclusive(each):
            by_server[each.instance_uuid].append(each)
    for uuid, crowd in by_server.items():
        if len(crowd) > 1:
            names = ", ".join(f"{each.id} ({each.action})" for each in crowd)
            yield Complaint("server", uuid, f"server {uuid} has open operations that exclude each other: {names}", uuid)


def _passwords(world: World) -> Iterable[Complaint]:
    for each in _ended(world):
        if actions.ADMIN_PASSWORD in each.args:
            yield _about(each, "ended and keeps a password", Repair.FORGET_PASSWORD)


_SWEEP = "`nova-lite-manage operation show`; a conductor that runs and reaches the database sweeps what nobody has"
RULES = (
    Rule("operation-ends", "I2", _SWEEP, _stuck, always=True),
    Rule("operation-is-readable", "I2", "a conductor that runs ends what it cannot read", _broken, always=True),
    Rule("failure-has-reason", "I2", "look for the request id in the logs", _silent, always=True),
    Rule("server-was-accepted", "I2", "the journal is older than the server: was a backup restored?", _unaccepted),
    Rule("delete-wins", "I6", _SWEEP, _after_death, always=True),
    Rule("events-are-closed", "I9", "", _open_events, always=True),
    Rule("events-are-ordered", "I9", "compare the clocks of conductors and hosts", _disorder, always=True),
    Rule("end-is-whole", "I9", "report it as a defect", _half_ended, always=True),
    Rule("one-at-a-time", "I9", "report it as a defect", _crowds, always=True),
    Rule("password-is-forgotten", "I9", "", _passwords, always=True),
)
