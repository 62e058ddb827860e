"""Limits, quotas and the names of features."""

from __future__ import annotations

from nova_lite.api.openstack.routes.route import OS, Route

_QUOTAS = "/os-quota-sets/{id}"
_CLASSES = "/os-quota-class-sets/{id}"

ROUTES = (
    Route("GET", "/limits", "limits:index", OS + "limits"),
    Route("GET", "/extensions", "extensions:index", OS + "extensions"),
    Route("GET", "/extensions/{id}", "extensions:show", OS + "extensions"),
    Route("GET", _QUOTAS, "quota_sets:show", OS + "os-quota-sets:show", subject="project"),
    Route("PUT", _QUOTAS, "quota_sets:update", OS + "os-quota-sets:update", subject="project"),
    Route("DELETE", _QUOTAS, "quota_sets:delete", OS + "os-quota-sets:delete", 202, subject="project"),
    Route("GET", _CLASSES, "quota_classes:show", OS + "os-quota-class-sets:show"),
    Route("PUT", _CLASSES, "quota_classes:update", OS + "os-quota-class-sets:update"),
    Route("GET", _QUOTAS + "/detail", "quota_sets:detail", OS + "os-quota-sets:detail", subject="project"),
    Route("GET", _QUOTAS + "/defaults", "quota_sets:defaults", OS + "os-quota-sets:defaults", subject="project"),
)
