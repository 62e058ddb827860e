"""Services, hypervisors and availability zones."""

from __future__ import annotations

from nova_lite.api.openstack.microversions import at
from nova_lite.api.openstack.routes.route import OS, Route

# To 2.52 the id of these two is a part of a name.
_FOUND = "/os-hypervisors/{id}"

ROUTES = (
    Route("GET", "/os-services", "services:index", OS + "os-services:list"),
    Route("PUT", "/os-services/{id}", "services:update", OS + "os-services:update"),
    Route("DELETE", "/os-services/{id}", "services:delete", OS + "os-services:delete", 204),
    Route("GET", "/os-hypervisors", "hypervisors:index", OS + "os-hypervisors:list"),
    Route("GET", "/os-hypervisors/detail", "hypervisors:detail", OS + "os-hypervisors:list-detail"),
    Route(
        "GET",
        "/os-hypervisors/statistics",
        "hypervisors:statistics",
        OS + "os-hypervisors:statistics",
        until=at("2.87"),
    ),
    Route("GET", "/os-hypervisors/{id}", "hypervisors:show", OS + "os-hypervisors:show"),
    Route("GET", "/os-hypervisors/{id}/uptime", "hypervisors:uptime", OS + "os-hypervisors:uptime", until=at("2.87")),
    Route("GET", _FOUND + "/search", "hypervisors:search", OS + "os-hypervisors:search", until=at("2.52")),
    Route("GET", _FOUND + "/servers", "hypervisors:servers", OS + "os-hypervisors:servers", until=at("2.52")),
    Route("GET", "/os-availability-zone", "availability_zones:index", OS + "os-availability-zone:list"),
    Route("GET", "/os-availability-zone/detail", "availability_zones:detail", OS + "os-availability-zone:detail"),
)
