"""What a server remembers of its interfaces when one came or went: others may come and go at the same time."""

from __future__ import annotations

from typing import Any

from nova_lite import exception
from nova_lite.compute import actions
from nova_lite.db.api import instances, operations
from nova_lite.objects import Instance, Operation, Vif

# How long a network service may refuse to take a port back before nobody asks again. The port goes with its server.
_PATIENCE_S = 86_400.0


def attached(operation: Operation, instance: Instance, report: dict[str, Any]) -> dict[str, Any]:
    """``report`` has the new interface."""
    new = tuple(report["network_info"])
    ids = {vif.id for vif in new}
    kept = (vif for vif in instances.locked(instance.uuid).network_info if vif.id not in ids)
    return {"network_info": (*kept, *new)}


def attach_failed(operation: Operation, instance: Instance) -> dict[str, Any]:
    """A port that was given back is no interface any more: a move may have written it down meanwhile."""
    port_id = operation.noted(actions.PORT_STEP)
    if actions.UNDONE_STEP not in operation.steps or port_id is None:
        return {}
    return {"network_info": _without(operation, port_id)}


def settled(operation: Operation, instance: Instance, report: dict[str, Any]) -> dict[str, Any]:
    """``report`` has those interfaces that the host has bound; what came or went meanwhile is not its affair.

    A server whose build was given up has none.
    """
    if operation.args.get("unbuilt"):
        return {"network_info": ()}
    said = {vif.id: vif for vif in report["network_info"]}
    known = instances.locked(instance.uuid).network_info
    return {"network_info": tuple(said.get(vif.id, vif) for vif in known)}


def detached(operation: Operation, instance: Instance, report: dict[str, Any]) -> dict[str, Any]:
    return {"network_info": _without(operation, operation.args["port_id"])}


def _without(operation: Operation, port_id: str) -> tuple[Vif, ...]:
    return tuple(vif for vif in instances.locked(operation.instance_uuid).network_info if vif.id != port_id)


def undo(operation: Operation, instance: Instance, reason: str) -> bool:
    """An attach that its host did not end in time: a conductor gives its port back, and may take its time for that."""
    row = actions.ATTACH_INTERFACE
    if operation.args.get("stage") == "undo":
        return False
    operations.finish_event(operation.id, row.event, "Error", details=reason)
    args = {**operation.args, "stage": "undo", "failure": reason}
    if not operations.seize(operation, "conductor", args, timeout_s=_PATIENCE_S):
        raise exception.StaleWrite(what=f"Operation {operation.id}")
    return True
