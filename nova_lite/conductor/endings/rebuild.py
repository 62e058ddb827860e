"""The ends of a rebuild: the server is as new; or as it was, if it never began."""

from __future__ import annotations

from typing import Any

from nova_lite.clock import utcnow
from nova_lite.conductor import rebuilds
from nova_lite.objects import Instance, Operation


def done(operation: Operation, instance: Instance, report: dict[str, Any]) -> dict[str, Any]:
    return {"launched_at": utcnow(), "progress": 100}


def failed(operation: Operation, instance: Instance) -> dict[str, Any]:
    return rebuilds.not_begun(operation)
