"""Rules of a server's interfaces."""

from __future__ import annotations

from nova_lite.policies.base import PROJECT_MEMBER, PROJECT_READER, Rule

_P = "os_compute_api:os-attach-interfaces:"
_PATH = "/servers/{server_id}/os-interface"

RULES: tuple[Rule, ...] = (
    Rule(_P + "list", PROJECT_READER, "List a server's interfaces.", (("GET", _PATH),)),
    Rule(_P + "show", PROJECT_READER, "Show one interface of a server.", (("GET", _PATH + "/{id}"),)),
    Rule(_P + "create", PROJECT_MEMBER, "Attach an interface to a server.", (("POST", _PATH),)),
    Rule(_P + "delete", PROJECT_MEMBER, "Detach an interface from a server.", (("DELETE", _PATH + "/{id}"),)),
)
