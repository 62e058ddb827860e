"""Interfaces of a server and their security groups."""

from __future__ import annotations

from nova_lite.api.openstack.routes.route import OS, Route

_PATH, _ONE = "/servers/{server_id}/os-interface", "/servers/{server_id}/os-interface/{id}"
_I, _G = OS + "os-attach-interfaces:", OS + "os-security-groups:"


def _group_action(key: str, method: str) -> Route:
    return Route(
        "POST", "/servers/{id}/action", f"security_groups:{method}", _G + method, 202, subject="server", action=key
    )


ROUTES = (
    Route("GET", _PATH, "attach_interfaces:index", _I + "list", subject="server"),
    Route("POST", _PATH, "attach_interfaces:create", _I + "create", subject="server"),
    Route("GET", _ONE, "attach_interfaces:show", _I + "show", subject="server"),
    Route("DELETE", _ONE, "attach_interfaces:delete", _I + "delete", 202, subject="server"),
    Route("GET", "/servers/{server_id}/os-security-groups", "security_groups:index", _G + "list", subject="server"),
    _group_action("addSecurityGroup", "add"),
    _group_action("removeSecurityGroup", "remove"),
)
