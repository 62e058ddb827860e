"""What was done to a server: its operations, read only."""

from __future__ import annotations

import datetime
from typing import Any

from nova_lite import exception
from nova_lite.api.openstack import formats, pagination
from nova_lite.api.openstack.compute.schemas import operators as schemas
from nova_lite.api.openstack.compute.views import instance_actions as views
from nova_lite.api.openstack.microversions import ACTION_PAGES, EVENT_DETAILS, EVENTS_FOR_ALL
from nova_lite.api.openstack.request import Request
from nova_lite.api.openstack.validation import validated
from nova_lite.db.api import operations
from nova_lite.objects import Instance, Operation


class InstanceActionsController:
    @validated(query=schemas.INSTANCE_ACTIONS)
    def index(self, req: Request, server: Instance) -> dict[str, Any]:
        found = operations.list_for_instance(server.uuid)
        if not req.wants(ACTION_PAGES):
            return {"instanceActions": [views.item(operation, req.version) for operation in found]}
        limit = pagination.limit_of(req)
        found = _page(req, found, limit)
        shown = [views.item(operation, req.version) for operation in found]
        path = f"servers/{server.uuid}/os-instance-actions"
        return pagination.page(
            req, path, "instanceActions", shown, found, limit, lambda operation: operation.request_id, "links"
        )

    def show(self, req: Request, server: Instance, id: str) -> dict[str, Any]:
        """
        :raises NotFound: the server has no such action
        """
        try:
            operation = operations.get_by_request_id(server.uuid, id)
        except exception.NotFound:
            raise exception.NotFound(f"Action {id} not found") from None
        target = {"project_id": server.project_id, "user_id": server.user_id}
        traces = req.may("os_compute_api:os-instance-actions:events", target)
        view = views.item(operation, req.version)
        if traces or req.wants(EVENTS_FOR_ALL):
            details = req.wants(EVENT_DETAILS) and req.may("os_compute_api:os-instance-actions:events:details", target)
            view["events"] = [
                views.event(each, server.project_id, req.version, traces=traces, details=details)
                for each in operation.events
            ]
        return {"instanceAction": view}


def _page(req: Request, found: list[Operation], limit: int) -> list[Operation]:
    """
    :raises MarkerNotFound: the marker is no action of the server
    """
    marker = req.last("marker")
    if marker is not None:
        ids = [operation.request_id for operation in found]
        if marker not in ids:
            raise exception.MarkerNotFound(marker=marker)
        found = found[ids.index(marker) + 1 :]
    since, before = _time(req, "changes-since"), _time(req, "changes-before")
    if since is not None and before is not None and before < since:
        raise exception.Invalid("The value of changes-since must be less than or equal to changes-before.")
    if since is not None:
        found = [operation for operation in found if _changed(operation) >= since]
    if before is not None:
        found = [operation for operation in found if _changed(operation) <= before]
    return found[:limit]


def _changed(operation: Operation) -> datetime.datetime:
    return operation.updated_at or operation.start_time or datetime.datetime.min


def _time(req: Request, key: str) -> datetime.datetime | None:
    text = req.last(key)
    return formats.parse_time(text) if text is not None else None
