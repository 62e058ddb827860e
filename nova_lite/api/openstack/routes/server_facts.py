"""Calls about one server besides itself: metadata, tags, password, diagnostics, topology."""

from __future__ import annotations

from nova_lite.api.openstack.microversions import at
from nova_lite.api.openstack.routes.route import OS, Route


def _fact(method: str, path: str, handler: str, policy: str, status: int = 200, since: str = "2.1") -> Route:
    return Route(method, "/servers/{server_id}" + path, handler, policy, status, at(since), subject="server")


_M, _T, _P = OS + "server-metadata:", OS + "os-server-tags:", OS + "os-server-password:"

ROUTES = (
    _fact("GET", "/metadata", "metadata:index", _M + "index"),
    _fact("POST", "/metadata", "metadata:create", _M + "create"),
    _fact("PUT", "/metadata", "metadata:update_all", _M + "update_all"),
    _fact("GET", "/metadata/{id}", "metadata:show", _M + "show"),
    _fact("PUT", "/metadata/{id}", "metadata:update", _M + "update"),
    _fact("DELETE", "/metadata/{id}", "metadata:delete", _M + "delete", 204),
    _fact("GET", "/tags", "tags:index", _T + "index", 200, "2.26"),
    _fact("PUT", "/tags", "tags:update_all", _T + "update_all", 200, "2.26"),
    _fact("DELETE", "/tags", "tags:delete_all", _T + "delete_all", 204, "2.26"),
    _fact("GET", "/tags/{id}", "tags:show", _T + "show", 204, "2.26"),
    _fact("PUT", "/tags/{id}", "tags:update", _T + "update", 204, "2.26"),
    _fact("DELETE", "/tags/{id}", "tags:delete", _T + "delete", 204, "2.26"),
    _fact("GET", "/diagnostics", "diagnostics:index", OS + "os-server-diagnostics"),
    _fact("GET", "/topology", "topology:index", "compute:server:topology:index", 200, "2.78"),
    _fact("GET", "/os-server-password", "server_password:index", _P + "show"),
    _fact("DELETE", "/os-server-password", "server_password:clear", _P + "clear", 204),
)
