"""Groups of servers with a placement policy."""

from __future__ import annotations

from nova_lite.api.openstack.routes.route import OS, Route

_ONE = "/os-server-groups/{id}"
_P = OS + "os-server-groups:"

ROUTES = (
    Route("GET", "/os-server-groups", "server_groups:index", _P + "index"),
    Route("POST", "/os-server-groups", "server_groups:create", _P + "create"),
    Route("GET", _ONE, "server_groups:show", _P + "show", subject="server_group"),
    Route("DELETE", _ONE, "server_groups:delete", _P + "delete", 204, subject="server_group"),
)
