"""Flavors, their extra specs and access lists."""

from __future__ import annotations

from nova_lite.api.openstack.microversions import at
from nova_lite.api.openstack.routes.route import OS, Route

ROUTES = (
    Route("GET", "/flavors", "flavors:index"),
    Route("POST", "/flavors", "flavors:create", OS + "os-flavor-manage:create"),
    Route("GET", "/flavors/detail", "flavors:detail"),
    Route("GET", "/flavors/{id}", "flavors:show"),
    Route("PUT", "/flavors/{id}", "flavors:update", OS + "os-flavor-manage:update", since=at("2.55")),
    Route("DELETE", "/flavors/{id}", "flavors:delete", OS + "os-flavor-manage:delete", 202),
    Route("GET", "/flavors/{flavor_id}/os-extra_specs", "flavor_extra_specs:index", OS + "os-flavor-extra-specs:index"),
    Route(
        "POST", "/flavors/{flavor_id}/os-extra_specs", "flavor_extra_specs:create", OS + "os-flavor-extra-specs:create"
    ),
    Route(
        "GET", "/flavors/{flavor_id}/os-extra_specs/{id}", "flavor_extra_specs:show", OS + "os-flavor-extra-specs:show"
    ),
    Route(
        "PUT",
        "/flavors/{flavor_id}/os-extra_specs/{id}",
        "flavor_extra_specs:update",
        OS + "os-flavor-extra-specs:update",
    ),
    Route(
        "DELETE",
        "/flavors/{flavor_id}/os-extra_specs/{id}",
        "flavor_extra_specs:delete",
        OS + "os-flavor-extra-specs:delete",
    ),
    Route("GET", "/flavors/{flavor_id}/os-flavor-access", "flavor_access:index", OS + "os-flavor-access"),
    Route(
        "POST",
        "/flavors/{id}/action",
        "flavor_access:add",
        OS + "os-flavor-access:add_tenant_access",
        action="addTenantAccess",
    ),
    Route(
        "POST",
        "/flavors/{id}/action",
        "flavor_access:remove",
        OS + "os-flavor-access:remove_tenant_access",
        action="removeTenantAccess",
    ),
)
