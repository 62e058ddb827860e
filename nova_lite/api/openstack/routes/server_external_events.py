"""What other services report about servers."""

from __future__ import annotations

from nova_lite.api.openstack.routes.route import OS, Route

ROUTES = (
    Route(
        "POST",
        "/os-server-external-events",
        "server_external_events:create",
        OS + "os-server-external-events:create",
    ),
)
