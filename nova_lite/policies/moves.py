"""Rules of resizes, cold migrations and the list of all migrations."""

from __future__ import annotations

from nova_lite.policies.base import ADMIN, PROJECT_MANAGER, PROJECT_MEMBER, Rule

_P = "os_compute_api:"
_ACTION = "/servers/{id}/action"
_LIST = (("GET", "/os-migrations"),)

RULES: tuple[Rule, ...] = (
    Rule(_P + "servers:resize", PROJECT_MEMBER, "Give a server another flavor.", (("POST", f"{_ACTION} (resize)"),)),
    Rule(
        _P + "servers:confirm_resize",
        PROJECT_MEMBER,
        "Keep a resized server.",
        (("POST", f"{_ACTION} (confirmResize)"),),
    ),
    Rule(_P + "servers:revert_resize", PROJECT_MEMBER, "Undo a resize.", (("POST", f"{_ACTION} (revertResize)"),)),
    Rule(
        _P + "os-migrate-server:migrate",
        PROJECT_MANAGER,
        "Move a server to another host while it is off.",
        (("POST", f"{_ACTION} (migrate)"),),
    ),
    Rule(
        _P + "os-migrate-server:migrate:host",
        ADMIN,
        "Name the host that a server is moved to.",
        (("POST", f"{_ACTION} (migrate)"),),
    ),
    Rule(_P + "os-migrations:index", PROJECT_MANAGER, "List migrations of the own project.", _LIST),
    Rule(_P + "os-migrations:index:host", ADMIN, "See the hosts in the list of migrations.", _LIST),
    Rule(_P + "os-migrations:index:all_projects", ADMIN, "List migrations of every project.", _LIST),
)
