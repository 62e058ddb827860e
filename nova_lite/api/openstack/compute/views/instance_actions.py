"""An operation as Nova's instance action, at every microversion."""

from __future__ import annotations

from typing import Any

from nova_lite.api.openstack.compute.views.servers import host_id
from nova_lite.api.openstack.compute.views.times import micro
from nova_lite.api.openstack.compute.views.undo import History, View, drop, step
from nova_lite.api.openstack.microversions import Microversion
from nova_lite.objects import Operation, OperationEvent

_HISTORY = History(step("2.58", drop("updated_at")))
_EVENT_HISTORY = History(step("2.84", drop("details")), step("2.62", drop("hostId", "host")))


def item(operation: Operation, version: Microversion) -> View:
    view = {
        "action": operation.action,
        "instance_uuid": operation.instance_uuid,
        "request_id": operation.request_id,
        "user_id": operation.user_id,
        "project_id": operation.project_id,
        "start_time": micro(operation.start_time),
        "updated_at": micro(operation.updated_at or operation.start_time),
        "message": operation.message,
    }
    return _HISTORY.walk_back(view, version)


def event(each: OperationEvent, project_id: str, version: Microversion, *, traces: bool, details: bool) -> View:
    """One step; tracebacks and hosts where ``traces``, the fault's details where ``details``."""
    view: dict[str, Any] = {
        "event": each.name,
        "start_time": micro(each.start_time),
        "finish_time": micro(each.finish_time),
        "result": each.result,
        "hostId": host_id(project_id, each.host),
    }
    if traces:
        view["traceback"] = each.traceback
        view["host"] = each.host
    if details:
        view["details"] = each.details
    return _EVENT_HISTORY.walk_back(view, version)
