"""What hosts do of moves: a server that leaves, one that arrives, and what is done once it has."""

from __future__ import annotations

from nova_lite.compute import actions
from nova_lite.compute.confirm import confirm
from nova_lite.compute.evacuate import evacuate
from nova_lite.compute.live_migration import live_migrate
from nova_lite.compute.resize import resize
from nova_lite.compute.revert import revert
from nova_lite.compute.settle import settle

MOVES = {
    actions.RESIZE.name: resize,
    actions.MIGRATE.name: resize,
    actions.CONFIRM_RESIZE.name: confirm,
    actions.REVERT_RESIZE.name: revert,
    actions.LIVE_MIGRATE.name: live_migrate,
    actions.EVACUATE.name: evacuate,
    actions.SETTLE.name: settle,
}
