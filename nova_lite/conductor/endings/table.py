"""What ends with an action besides its operation and its server's states, by the action's name.

An ending runs in the transaction that ends the operation: claims, moves and quota end with it or not at all. It answers
the server's fields that change besides. ``report`` is what the host said when it finished: server fields, all written.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nova_lite.compute import actions
from nova_lite.conductor import moves
from nova_lite.conductor.endings import consoles, create
from nova_lite.objects import Instance, Operation

Done = Callable[[Operation, Instance, dict[str, Any]], dict[str, Any]]
Failed = Callable[[Operation, Instance], dict[str, Any]]
# Called when a server is gone for good, before its row becomes a tombstone: what else it held is given back.
Gone = Callable[[Instance], None]

DONE: dict[str, Done] = {
    actions.CREATE.name: create.done,
}
FAILED: dict[str, Failed] = {}
GONE: tuple[Gone, ...] = (moves.gone, consoles.forget,)
