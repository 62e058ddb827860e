"""The end of a build that went well."""

from __future__ import annotations

from typing import Any

from nova_lite.clock import utcnow
from nova_lite.db.api import compute_nodes
from nova_lite.objects import Instance, Operation


def done(operation: Operation, instance: Instance, report: dict[str, Any]) -> dict[str, Any]:
    compute_nodes.reset_build_failures(str(operation.host))
    return {"launched_at": utcnow(), "progress": 100}
