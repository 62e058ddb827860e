"""Rules of moving running servers, of what is asked of such a move, and of evacuation."""

from __future__ import annotations

from nova_lite.policies.base import ADMIN, PROJECT_MANAGER, Rule

_P = "os_compute_api:"
_ACTION = "/servers/{id}/action"
_MIGRATIONS = "/servers/{server_id}/migrations"
_ONE = _MIGRATIONS + "/{id}"

RULES: tuple[Rule, ...] = (
    Rule(
        _P + "os-migrate-server:migrate_live",
        PROJECT_MANAGER,
        "Move a running server to another host.",
        (("POST", f"{_ACTION} (os-migrateLive)"),),
    ),
    Rule(
        _P + "os-migrate-server:migrate_live:host",
        ADMIN,
        "Name the host that a running server is moved to.",
        (("POST", f"{_ACTION} (os-migrateLive)"),),
    ),
    Rule(
        _P + "os-evacuate",
        ADMIN,
        "Build a server of a dead host again on another one.",
        (("POST", f"{_ACTION} (evacuate)"),),
    ),
    Rule(
        _P + "servers:migrations:index",
        PROJECT_MANAGER,
        "List a server's live migrations under way.",
        (("GET", _MIGRATIONS),),
    ),
    Rule(
        _P + "servers:migrations:index:host",
        ADMIN,
        "See the hosts in the list of a server's live migrations.",
        (("GET", _MIGRATIONS),),
    ),
    Rule(_P + "servers:migrations:show", ADMIN, "Show a live migration under way.", (("GET", _ONE),)),
    Rule(
        _P + "servers:migrations:force_complete",
        PROJECT_MANAGER,
        "Make a live migration end soon, at the price of a pause.",
        (("POST", f"{_ONE}/action (force_complete)"),),
    ),
    Rule(_P + "servers:migrations:delete", PROJECT_MANAGER, "Abort a live migration.", (("DELETE", _ONE),)),
)
