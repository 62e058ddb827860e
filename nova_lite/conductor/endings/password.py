"""A password is forgotten with the end of the operation that set it."""

from __future__ import annotations

from typing import Any

from nova_lite.db.api import operations
from nova_lite.objects import Instance, Operation


def changed(operation: Operation, instance: Instance, report: dict[str, Any]) -> dict[str, Any]:
    operations.forget_password([operation.id])
    return {}


def unchanged(operation: Operation, instance: Instance) -> dict[str, Any]:
    operations.forget_password([operation.id])
    return {}
