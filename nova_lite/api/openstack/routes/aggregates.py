"""Groups of hosts, and which of them are availability zones."""

from __future__ import annotations

from nova_lite.api.openstack.routes.route import OS, Route

_ALL, _ONE = "/os-aggregates", "/os-aggregates/{id}"
_P = OS + "os-aggregates:"


def _action(name: str) -> Route:
    return Route("POST", _ONE + "/action", f"aggregates:{name}", _P + name, action=name)


ROUTES = (
    Route("GET", _ALL, "aggregates:index", _P + "index"),
    Route("POST", _ALL, "aggregates:create", _P + "create"),
    Route("GET", _ONE, "aggregates:show", _P + "show"),
    Route("PUT", _ONE, "aggregates:update", _P + "update"),
    Route("DELETE", _ONE, "aggregates:delete", _P + "delete"),
    _action("add_host"),
    _action("remove_host"),
    _action("set_metadata"),
)
