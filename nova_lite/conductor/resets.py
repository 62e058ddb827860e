"""Builds, unshelvings, evacuations and cold moves that a reset gives up: what is bound elsewhere is seen to afterwards.

The host that was at it takes back what it did, if it lives. Whatever it does, a small operation that runs beside
others goes over it, and is tried until the network and volume services have done their part. In the caller's
transaction, all of it.
"""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Iterable, Sequence

from nova_lite import exception
from nova_lite.compute import actions
from nova_lite.compute.vm_states import ON_ITS_DISK, VmState
from nova_lite.db.api import instances, operations
from nova_lite.objects import Instance, Operation

# How long that is tried, in seconds.
_PATIENCE_S = 86_400.0
_MOVES = (actions.RESIZE.name, actions.MIGRATE.name)
# Turns of a move before which nothing is bound anywhere else.
_FIRST = (None, "prep", "schedule")


def given_up(numbers: Iterable[int]) -> list[Operation]:
    """These operations. What cannot be read is left out: nobody did anything of it."""
    found = []
    for number in numbers:
        with contextlib.suppress(exception.UnreadableObject):
            found.append(operations.get(number))
    return found


def after_reset(instance: Instance, ended: Iterable[Operation]) -> None:
    """These were given up, and ``instance`` is the server's row as the reset leaves it."""
    for each in ended:
        if each.action == actions.CREATE.name and _has_begun(each):
            _leave_host(instance)
            _open(instance, None, instance.generation + 1, unbuilt=True)
        elif each.action == actions.UNSHELVE.name and each.args.get("stage") == "spawn" and instance.host:
            # What it is made of is on the shelf, where it stays; ports and volumes are kept, on no host.
            _leave_host(instance)
            _open(instance, None, instance.generation + 1, left=str(instance.host))
        elif each.action == actions.EVACUATE.name and "generation" in each.args and instance.host is not None:
            bring_back(instance, [each.args["dest"]])
        elif instance.host is not None and _has_left(each):
            there = each.args.get("new", {}).get("host")
            bring_back(instance, [there] if there not in (None, instance.host) else [], made_here=made_here(each))


def outdate(instance: Instance, given_up: Iterable[Operation]) -> Instance:
    """The server's row, newer than whatever evacuations that were given up may have built."""
    built = [
        each.args["generation"] for each in given_up
        if each.action == actions.EVACUATE.name and "generation" in each.args
    ]  # fmt: skip
    if max(built, default=-1) < instance.generation:
        return instance
    instances.update_if(instance.uuid, {"generation": max(built) + 1})
    return instances.get(instance.uuid)


def is_on_the_shelf(before: Instance, instance: Instance) -> bool:
    """Whether a server that was declared active is shelved: it stays so, its image may be all there is of it.

    One that worked ``before`` is not, whatever it remembers: its disk has what its image has not.
    """
    declared = instance.vm_state == VmState.ACTIVE and before.vm_state not in ON_ITS_DISK
    return declared and "shelved_at" in instance.system_metadata


def shelf_of(instance: Instance) -> VmState:
    """The state of a server that is shelved."""
    return VmState.SHELVED_OFFLOADED if instance.host is None else VmState.SHELVED


def bring_back(instance: Instance, sides: Sequence[str] = (), *, made_here: bool = False) -> None:
    """A cold move or an evacuation ended in the middle: all that is bound is to be where the row says again.

    A guest that was set aside there is there again, off.
    ``sides`` are hosts that may still have something of the server; ``made_here``: see :func:`made_here`.
    """
    _open(instance, str(instance.host), instance.generation, sides, back=True, made_here=made_here)


def made_here(move: Operation) -> bool:
    """Whether a cold move on one host made disks there that must go before those that it set aside are taken up.

    Nothing is taken up before what was made has gone, and nothing was made before the disks were handed over.
    """
    old, new = move.args.get("old", {}).get("host"), move.args.get("new", {}).get("host")
    if old is None or old != new or actions.CLEARED_STEP in move.steps:
        return False
    if move.action in _MOVES:
        return "disks" in move.args
    return move.args.get("stage") is None or "failure" in move.args


def let_go(instance: Instance, sides: Sequence[str] = ()) -> None:
    """The server stays what a cold move made of it: what the move set aside on the server's host, or ``sides``, goes.

    Not while the server is in error: it may be the only whole copy.
    """
    if instance.host is not None and instance.vm_state != VmState.ERROR:
        _open(instance, instance.host, instance.generation, sides, let_go=True)


def leave(instance: Instance, host: str) -> None:
    """The server has left a host that it was shelved on, or was to be again: nothing of it stays bound there."""
    _open(instance, None, instance.generation, left=host)


def _has_left(move: Operation) -> bool:
    """Whether the source may have set the guest aside. A revert begins with that."""
    begun = move.action in _MOVES and move.args.get("stage") not in _FIRST
    return begun or move.action == actions.REVERT_RESIZE.name


def _has_begun(build: Operation) -> bool:
    """Whether a host may have made something of it."""
    return build.topic == "compute" or build.args.get("builds", 0) > 0 or build.args.get("stage") == "undo"


def _leave_host(instance: Instance) -> None:
    """There is nothing whole on it; what it has is older than its server from now on, and goes."""
    instances.update_if(instance.uuid, {"host": None, "node": None, "generation": instance.generation + 1})


def _open(instance: Instance, host: str | None, generation: int, sides: Sequence[str] = (), **what: bool | str) -> None:
    operations.insert_pending(
        request_id=f"req-{uuid.uuid4()}", instance_uuid=instance.uuid, action=actions.SETTLE.name,
        project_id=instance.project_id, user_id=instance.user_id, topic="conductor" if host is None else "compute",
        host=host, timeout_s=_PATIENCE_S,
        args={"generation": generation, "sides": [*sides], "devices": [], "former": [], "undecided": False, **what},
    )  # fmt: skip
