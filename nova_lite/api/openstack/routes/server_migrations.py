"""Live migration and evacuation, and what is read and asked of a live migration under way."""

from __future__ import annotations

from nova_lite.api.openstack.microversions import at
from nova_lite.api.openstack.routes.route import OS, Route

_ACTION = "/servers/{id}/action"
_MIGRATIONS = "/servers/{server_id}/migrations"
_ONE = _MIGRATIONS + "/{id}"
_RULE = OS + "servers:migrations:"

ROUTES = (
    Route(
        "POST",
        _ACTION,
        "migrate_live:migrate",
        OS + "os-migrate-server:migrate_live",
        202,
        subject="server",
        action="os-migrateLive",
    ),
    Route("POST", _ACTION, "evacuate:evacuate", OS + "os-evacuate", subject="server", action="evacuate"),
    Route("GET", _MIGRATIONS, "server_migrations:index", _RULE + "index", since=at("2.23"), subject="server"),
    Route("GET", _ONE, "server_migrations:show", _RULE + "show", since=at("2.23"), subject="server"),
    Route("DELETE", _ONE, "server_migrations:abort", _RULE + "delete", 202, since=at("2.24"), subject="server"),
    Route(
        "POST",
        _ONE + "/action",
        "server_migrations:force_complete",
        _RULE + "force_complete",
        202,
        since=at("2.22"),
        subject="server",
        action="force_complete",
    ),
)
