"""Resizes and cold migrations, and the list of all migrations."""

from __future__ import annotations

from nova_lite.api.openstack.routes.route import OS, Route


def _action(key: str, method: str, policy: str, status: int = 202) -> Route:
    path = "/servers/{id}/action"
    return Route("POST", path, f"cold_moves:{method}", OS + policy, status, subject="server", action=key)


ROUTES = (
    _action("resize", "resize", "servers:resize"),
    _action("confirmResize", "confirm", "servers:confirm_resize", 204),
    _action("revertResize", "revert", "servers:revert_resize"),
    _action("migrate", "migrate", "os-migrate-server:migrate"),
    Route("GET", "/os-migrations", "migrations:index", OS + "os-migrations:index"),
)
