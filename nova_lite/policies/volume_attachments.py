"""Rules of a server's volume attachments."""

from __future__ import annotations

from nova_lite.policies.base import PROJECT_MEMBER, PROJECT_READER, SERVICE_OR_ADMIN, Rule

_P = "os_compute_api:os-volumes-attachments:"
_ALL = "/servers/{server_id}/os-volume_attachments"
_ONE = _ALL + "/{id}"

RULES: tuple[Rule, ...] = (
    Rule(_P + "index", PROJECT_READER, "List a server's volumes.", (("GET", _ALL),)),
    Rule(_P + "create", PROJECT_MEMBER, "Attach a volume to a server.", (("POST", _ALL),)),
    Rule(_P + "show", PROJECT_READER, "Show a server's volume.", (("GET", _ONE),)),
    Rule(_P + "update", PROJECT_MEMBER, "Change what becomes of a volume with its server.", (("PUT", _ONE),)),
    Rule(_P + "swap", SERVICE_OR_ADMIN, "Put another volume in a volume's place.", (("PUT", _ONE),)),
    Rule(_P + "delete", PROJECT_MEMBER, "Detach a volume from a server.", (("DELETE", _ONE),)),
)
