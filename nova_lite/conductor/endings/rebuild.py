"""The end of a rebuild that went well: the server is as new."""

from __future__ import annotations

from typing import Any

from nova_lite.clock import utcnow
from nova_lite.objects import Instance, Operation


def done(operation: Operation, instance: Instance, report: dict[str, Any]) -> dict[str, Any]:
    return {"launched_at": utcnow(), "progress": 100}
