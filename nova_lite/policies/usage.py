"""Rules of usage."""

from __future__ import annotations

from nova_lite.policies.base import ADMIN, PROJECT_READER, Rule

_P = "os_compute_api:"
_USAGE, _AUDIT = "/os-simple-tenant-usage", "/os-instance_usage_audit_log"

RULES: tuple[Rule, ...] = (
    Rule(_P + "os-simple-tenant-usage:list", ADMIN, "See what every project used.", (("GET", _USAGE),)),
    Rule(
        _P + "os-simple-tenant-usage:show", PROJECT_READER, "See what a project used.", (("GET", _USAGE + "/{id}"),)
    ),
    Rule(_P + "os-instance-usage-audit-log:list", ADMIN, "See whether usage was audited.", (("GET", _AUDIT),)),
    Rule(
        _P + "os-instance-usage-audit-log:show",
        ADMIN,
        "See whether usage was audited before a time.",
        (("GET", _AUDIT + "/{id}"),),
    ),
)
