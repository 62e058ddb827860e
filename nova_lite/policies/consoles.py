"""Rules of remote consoles and their tokens."""

from __future__ import annotations

from nova_lite.policies.base import ADMIN, PROJECT_MEMBER, Rule

RULES: tuple[Rule, ...] = (
    Rule(
        "os_compute_api:os-remote-consoles",
        PROJECT_MEMBER,
        "Get a URL of a server's console.",
        (("POST", "/servers/{id}/action (os-getVNCConsole)"), ("POST", "/servers/{server_id}/remote-consoles")),
    ),
    Rule(
        "os_compute_api:os-console-auth-tokens",
        ADMIN,
        "See what a console token opens; a console proxy asks this.",
        (("GET", "/os-console-auth-tokens/{id}"),),
    ),
)
