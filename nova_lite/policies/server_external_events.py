"""The rule of external events: other services send them."""

from __future__ import annotations

from nova_lite.policies.base import SERVICE_OR_ADMIN, Rule

RULES: tuple[Rule, ...] = (
    Rule(
        "os_compute_api:os-server-external-events:create",
        SERVICE_OR_ADMIN,
        "Report what happened to something of a server's.",
        (("POST", "/os-server-external-events"),),
    ),
)
