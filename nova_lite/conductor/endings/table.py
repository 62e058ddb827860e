"""What ends with an action besides its operation and its server's states, by the action's name.

An ending runs in the transaction that ends the operation: claims, moves and quota end with it or not at all. It answers
the server's fields that change besides. ``report`` is what the host said when it finished: server fields, all written.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nova_lite.compute import actions
from nova_lite.conductor import moves as open_moves
from nova_lite.conductor.endings import (
    consoles,
    create,
    interfaces,
    live_moves,
    moves,
    password,
    rebuild,
    shelves,
    snapshots,
    soft_delete,
    volumes,
)
from nova_lite.objects import Instance, Operation

Done = Callable[[Operation, Instance, dict[str, Any]], dict[str, Any]]
Failed = Callable[[Operation, Instance], dict[str, Any]]
# Instead of ending what got stuck half-way: its turn goes to who undoes it (True), or there is nothing to undo (False).
Undo = Callable[[Operation, Instance, str], bool]
# What stands from a step of an action on, however it ends.
Noted = Callable[[Operation], None]
# Before what nobody undoes is ended for its worker: what is made elsewhere is seen to.
GivenUp = Callable[[Operation, Instance], None]
# After whatever went well: the fields that the server gets, and those that change with them.
After = Callable[[Instance, dict[str, Any]], dict[str, Any]]
# Called when a server is gone for good, before its row becomes a tombstone: what else it held is given back.
Gone = Callable[[Instance], None]

DONE: dict[str, Done] = {
    actions.CREATE.name: create.done,
    actions.CHANGE_PASSWORD.name: password.changed,
    actions.SOFT_DELETE.name: soft_delete.done,
    actions.RESIZE.name: moves.done,
    actions.MIGRATE.name: moves.done,
    actions.CONFIRM_RESIZE.name: moves.confirmed,
    actions.REVERT_RESIZE.name: moves.reverted,
    actions.LIVE_MIGRATE.name: live_moves.migrated,
    actions.EVACUATE.name: live_moves.evacuated,
    actions.REBUILD.name: rebuild.done,
    actions.CREATE_IMAGE.name: snapshots.done,
    actions.CREATE_BACKUP.name: snapshots.done,
    actions.SHELVE.name: shelves.shelved,
    actions.SHELVE_OFFLOAD.name: shelves.offloaded,
    actions.UNSHELVE.name: shelves.unshelved,
    actions.ATTACH_VOLUME.name: volumes.changed,
    actions.DETACH_VOLUME.name: volumes.detached,
    actions.SWAP_VOLUME.name: volumes.changed,
    actions.ATTACH_INTERFACE.name: interfaces.attached,
    actions.DETACH_INTERFACE.name: interfaces.detached,
    actions.SETTLE.name: interfaces.settled,
}
FAILED: dict[str, Failed] = {
    actions.CREATE.name: create.failed,
    actions.CHANGE_PASSWORD.name: password.unchanged,
    actions.RESTORE.name: soft_delete.not_restored,
    actions.RESIZE.name: moves.failed,
    actions.MIGRATE.name: moves.failed,
    actions.REVERT_RESIZE.name: moves.not_reverted,
    actions.LIVE_MIGRATE.name: live_moves.not_migrated,
    actions.EVACUATE.name: live_moves.not_evacuated,
    actions.REBUILD.name: rebuild.failed,
    actions.UNSHELVE.name: shelves.unshelve_failed,
    actions.ATTACH_VOLUME.name: volumes.attach_failed,
    actions.ATTACH_INTERFACE.name: interfaces.attach_failed,
}
UNDO: dict[str, Undo] = {
    actions.CREATE.name: create.undo,
    actions.RESIZE.name: moves.undo,
    actions.MIGRATE.name: moves.undo,
    actions.REVERT_RESIZE.name: moves.revert_on,
    actions.LIVE_MIGRATE.name: live_moves.undo,
    actions.SHELVE.name: shelves.shelve_undo,
    actions.ATTACH_INTERFACE.name: interfaces.undo,
    actions.ATTACH_VOLUME.name: volumes.undo,
    actions.SWAP_VOLUME.name: volumes.undo,
}
NOTED: dict[tuple[str, str], Noted] = {
    (actions.CREATE_BACKUP.name, actions.IMAGE_KEPT_STEP): snapshots.kept,
}
GIVEN_UP: dict[str, GivenUp] = {
    actions.LIVE_MIGRATE.name: live_moves.given_up,
    actions.UNSHELVE.name: shelves.unshelve_given_up,
}
AFTER: tuple[After, ...] = (shelves.taken_down,)
GONE: tuple[Gone, ...] = (open_moves.gone, consoles.forget, shelves.gone)
