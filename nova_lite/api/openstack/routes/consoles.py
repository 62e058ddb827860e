"""Remote consoles and their tokens."""

from __future__ import annotations

from nova_lite.api.openstack.microversions import at
from nova_lite.api.openstack.routes.route import OS, Route

_RULE = OS + "os-remote-consoles"

ROUTES = (
    Route(
        "POST",
        "/servers/{id}/action",
        "remote_consoles:vnc",
        _RULE,
        subject="server",
        action="os-getVNCConsole",
        until=at("2.5"),
    ),
    Route(
        "POST",
        "/servers/{server_id}/remote-consoles",
        "remote_consoles:create",
        _RULE,
        since=at("2.6"),
        subject="server",
    ),
    Route("GET", "/os-console-auth-tokens/{id}", "console_auth_tokens:show", OS + "os-console-auth-tokens"),
)
