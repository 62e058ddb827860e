"""Version discovery below an endpoint; everybody may."""

from __future__ import annotations

from nova_lite.api.openstack.routes.route import Route

ROUTES = (
    Route("GET", "", "api_versions:own"),
    Route("GET", "/", "api_versions:own"),
    Route("GET", "/versions", "api_versions:index"),
    Route("GET", "/versions/{id}", "api_versions:show"),
)
