"""A move is under way, or over, or waits with its server for a word of the user (I2)."""

from __future__ import annotations

import collections
from collections.abc import Iterable

from nova_lite.audit.finding import Complaint, Rule
from nova_lite.audit.world import World
from nova_lite.compute.vm_states import VmState
from nova_lite.objects import MigrationStatus


def _waiting(world: World) -> set[str]:
    return {server.uuid for server in world.servers.values() if server.vm_state == VmState.RESIZED}


def _adrift(world: World) -> Iterable[Complaint]:
    waiting = _waiting(world)
    for move in world.open_moves:
        if move.status != MigrationStatus.FINISHED or move.instance_uuid not in waiting:
            sentence = f"move {move.id} of {move.instance_uuid} is {move.status}"
            yield Complaint("move", move.uuid, sentence, move.instance_uuid, move.source_compute)


def _unmoved(world: World) -> Iterable[Complaint]:
    finished = {move.instance_uuid for move in world.open_moves if move.status == MigrationStatus.FINISHED}
    for uuid in sorted(_waiting(world) - finished):
        yield Complaint("server", uuid, f"server {uuid} waits for the confirmation of no move", uuid)


def _crowds(world: World) -> Iterable[Complaint]:
    numbers = collections.Counter(move.instance_uuid for move in world.open_moves)
    for uuid, number in numbers.items():
        if number > 1:
            yield Complaint("server", uuid, f"server {uuid} has {number} open moves", uuid)


RULES = (
    Rule("move-ends", "I2", "reset the server's state: that gives the move up", _adrift),
    Rule("resized-has-move", "I2", "reset the server's state to active", _unmoved),
    Rule("one-move-at-a-time", "I9", "report it as a defect", _crowds, always=True),
)
