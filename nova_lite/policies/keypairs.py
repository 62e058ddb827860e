"""Rules of keypairs: they belong to a user, not to a project."""

from __future__ import annotations

from nova_lite.policies.base import OWNER, Rule

_P = "os_compute_api:os-keypairs:"

RULES: tuple[Rule, ...] = (
    Rule(_P + "index", OWNER, "List a user's keypairs.", (("GET", "/os-keypairs"),)),
    Rule(_P + "create", OWNER, "Import or make a keypair.", (("POST", "/os-keypairs"),)),
    Rule(_P + "show", OWNER, "Show a keypair.", (("GET", "/os-keypairs/{id}"),)),
    Rule(_P + "delete", OWNER, "Delete a keypair.", (("DELETE", "/os-keypairs/{id}"),)),
)
