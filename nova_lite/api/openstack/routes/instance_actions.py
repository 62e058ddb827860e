"""What was done to a server."""

from __future__ import annotations

from nova_lite.api.openstack.routes.route import OS, Route

_ACTIONS = "/servers/{server_id}/os-instance-actions"

ROUTES = (
    Route("GET", _ACTIONS, "instance_actions:index", OS + "os-instance-actions:list", subject="server_or_deleted"),
    Route(
        "GET",
        _ACTIONS + "/{id}",
        "instance_actions:show",
        OS + "os-instance-actions:show",
        subject="server_or_deleted",
    ),
)
