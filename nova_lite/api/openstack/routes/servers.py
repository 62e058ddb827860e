"""Servers, and what is read of one of them."""

from __future__ import annotations

from nova_lite.api.openstack.routes.route import OS, Route

ROUTES = (
    Route("GET", "/servers", "servers:index", OS + "servers:index"),
    Route("POST", "/servers", "servers:create", OS + "servers:create", 202),
    Route("GET", "/servers/detail", "servers:detail", OS + "servers:detail"),
    Route("GET", "/servers/{id}", "servers:show", OS + "servers:show", subject="server"),
    Route("PUT", "/servers/{id}", "servers:update", OS + "servers:update", subject="server"),
    Route("DELETE", "/servers/{id}", "servers:delete", OS + "servers:delete", 204, subject="server"),
    Route("GET", "/servers/{server_id}/ips", "addresses:index", OS + "ips:index", subject="server"),
    Route("GET", "/servers/{server_id}/ips/{id}", "addresses:show", OS + "ips:show", subject="server"),
)
