"""The ends of a build."""

from __future__ import annotations

from typing import Any

from nova_lite.clock import utcnow
from nova_lite.db.api import allocations, compute_nodes
from nova_lite.objects import Instance, Operation


def done(operation: Operation, instance: Instance, report: dict[str, Any]) -> dict[str, Any]:
    compute_nodes.reset_build_failures(str(operation.host))
    return {"launched_at": utcnow(), "progress": 100}


def failed(operation: Operation, instance: Instance) -> dict[str, Any]:
    """What a scheduler claimed for it holds nothing where no conductor came to write the host down."""
    if instance.host is None:
        allocations.release(instance.uuid)
    return {}
