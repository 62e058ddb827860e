"""Calls that Nova has not: each is also outside of its microversions, and hides nothing of what Nova has."""

from __future__ import annotations

from nova_lite.api.openstack.routes.route import OS, Route

ROUTES = (
    Route(
        "GET", "/servers/{server_id}/scheduling", "beyond:scheduling", OS + "nova-lite:server-scheduling:show",
        subject="server_or_deleted",
    ),
)  # fmt: skip
