"""What projects used, and the report of a task that counts it."""

from __future__ import annotations

from nova_lite.api.openstack.routes.route import OS, Route

_USAGE, _AUDIT = "/os-simple-tenant-usage", "/os-instance_usage_audit_log"

ROUTES = (
    Route("GET", _USAGE, "usage:index", OS + "os-simple-tenant-usage:list"),
    Route("GET", _USAGE + "/{id}", "usage:show", OS + "os-simple-tenant-usage:show", subject="project"),
    Route("GET", _AUDIT, "usage_audit:index", OS + "os-instance-usage-audit-log:list"),
    Route("GET", _AUDIT + "/{id}", "usage_audit:show", OS + "os-instance-usage-audit-log:show"),
)
