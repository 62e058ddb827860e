"""THE TABLE of calls: one row an operation. Each path also works below ``/{project_id}``."""

from nova_lite.api.openstack import retired
from nova_lite.api.openstack.routes import (
    aggregates,
    beyond,
    consoles,
    flavors,
    hosts,
    instance_actions,
    interfaces,
    keypairs,
    limits,
    moves,
    server_actions,
    server_external_events,
    server_facts,
    server_groups,
    server_images,
    server_migrations,
    servers,
    usage,
    versions,
    volume_attachments,
)
from nova_lite.api.openstack.routes.route import Route

_RETIRED = tuple(Route(method, path, f"retired:{kind}", action=action) for method, path, action, kind in retired.rows())

ROUTES: tuple[Route, ...] = (
    *flavors.ROUTES,
    *keypairs.ROUTES,
    *servers.ROUTES,
    *server_actions.ROUTES,
    *server_facts.ROUTES,
    *interfaces.ROUTES,
    *volume_attachments.ROUTES,
    *moves.ROUTES,
    *server_images.ROUTES,
    *server_migrations.ROUTES,
    *consoles.ROUTES,
    *instance_actions.ROUTES,
    *limits.ROUTES,
    *hosts.ROUTES,
    *aggregates.ROUTES,
    *server_groups.ROUTES,
    *server_external_events.ROUTES,
    *usage.ROUTES,
    *versions.ROUTES,
    *beyond.ROUTES,
    *_RETIRED,
)

__all__ = ["ROUTES", "Route"]
