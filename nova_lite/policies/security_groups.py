"""Rules of a server's security groups."""

from __future__ import annotations

from nova_lite.policies.base import PROJECT_MEMBER, PROJECT_READER, Rule

_P = "os_compute_api:os-security-groups:"
_ACTION = "/servers/{id}/action"

RULES: tuple[Rule, ...] = (
    Rule(
        _P + "list", PROJECT_READER, "List the security groups of a server.",
        (("GET", "/servers/{server_id}/os-security-groups"),),
    ),
    Rule(
        _P + "add", PROJECT_MEMBER, "Put a security group on a server.", (("POST", f"{_ACTION} (addSecurityGroup)"),)
    ),
    Rule(
        _P + "remove", PROJECT_MEMBER, "Take a security group off a server.",
        (("POST", f"{_ACTION} (removeSecurityGroup)"),),
    ),
)  # fmt: skip
