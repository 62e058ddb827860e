"""What a server remembers of its interfaces when one came or went: others may come and go at the same time."""

from __future__ import annotations

from typing import Any

from nova_lite.db.api import instances
from nova_lite.objects import Instance, Operation


def attached(operation: Operation, instance: Instance, report: dict[str, Any]) -> dict[str, Any]:
    """``report`` has the new interface."""
    new = tuple(report["network_info"])
    ids = {vif.id for vif in new}
    kept = (vif for vif in instances.locked(instance.uuid).network_info if vif.id not in ids)
    return {"network_info": (*kept, *new)}


def detached(operation: Operation, instance: Instance, report: dict[str, Any]) -> dict[str, Any]:
    port_id = operation.args["port_id"]
    return {
        "network_info": tuple(vif for vif in instances.locked(instance.uuid).network_info if vif.id != port_id)
    }
