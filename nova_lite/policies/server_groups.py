"""Rules of server groups."""

from __future__ import annotations

from nova_lite.policies.base import ADMIN, PROJECT_MEMBER, PROJECT_READER, Rule

_P = "os_compute_api:os-server-groups:"
_LIST, _ONE = "/os-server-groups", "/os-server-groups/{id}"

RULES: tuple[Rule, ...] = (
    Rule(_P + "index", PROJECT_READER, "List the project's server groups.", (("GET", _LIST),)),
    Rule(_P + "index:all_projects", ADMIN, "List the server groups of every project.", (("GET", _LIST),)),
    Rule(_P + "create", PROJECT_MEMBER, "Create a server group.", (("POST", _LIST),)),
    Rule(_P + "show", PROJECT_READER, "Show a server group.", (("GET", _ONE),)),
    Rule(_P + "delete", PROJECT_MEMBER, "Delete a server group.", (("DELETE", _ONE),)),
)
