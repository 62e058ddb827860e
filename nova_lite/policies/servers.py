"""Rules of servers."""

from __future__ import annotations

from nova_lite.policies.base import ADMIN, PROJECT_MEMBER, PROJECT_READER, Rule

_LISTS = (("GET", "/servers"), ("GET", "/servers/detail"))
_SHOWS = (("GET", "/servers/{id}"), ("GET", "/servers/detail"), ("PUT", "/servers/{id}"))
_CREATE = (("POST", "/servers"),)
_P = "os_compute_api:servers:"

RULES: tuple[Rule, ...] = (
    Rule(_P + "index", PROJECT_READER, "List servers in short.", (("GET", "/servers"),)),
    Rule(_P + "detail", PROJECT_READER, "List servers in full.", (("GET", "/servers/detail"),)),
    Rule(_P + "index:get_all_tenants", ADMIN, "List servers of all projects in short.", (("GET", "/servers"),)),
    Rule(_P + "detail:get_all_tenants", ADMIN, "List servers of all projects in full.", (("GET", "/servers/detail"),)),
    Rule(_P + "allow_all_filters", ADMIN, "Filter and sort lists of servers by every key.", _LISTS),
    Rule(_P + "show", PROJECT_READER, "Show a server.", (("GET", "/servers/{id}"),)),
    Rule(_P + "show:flavor-extra-specs", PROJECT_READER, "See the extra specs of a server's flavor.", _SHOWS),
    Rule(_P + "show:host_status", ADMIN, "See the status of a server's host.", _SHOWS),
    Rule(_P + "show:host_status:unknown-only", ADMIN, "See that a server's host is unreachable.", _SHOWS),
    Rule("os_compute_api:os-extended-server-attributes", ADMIN, "See where a server runs and how it is named.", _SHOWS),
    Rule(_P + "create", PROJECT_MEMBER, "Create a server.", _CREATE),
    Rule(_P + "create:forced_host", ADMIN, "Create a server on a named host, past the scheduler.", _CREATE),
    Rule("compute:servers:create:requested_destination", ADMIN, "Ask the scheduler for a host or hypervisor.", _CREATE),
    Rule(_P + "create:attach_volume", PROJECT_MEMBER, "Create a server with volumes.", _CREATE),
    Rule(_P + "create:attach_network", PROJECT_MEMBER, "Create a server with chosen networks.", _CREATE),
    Rule(_P + "create:trusted_certs", PROJECT_MEMBER, "Create a server with trusted image certificates.", _CREATE),
    Rule(_P + "update", PROJECT_MEMBER, "Change a server.", (("PUT", "/servers/{id}"),)),
    Rule(_P + "delete", PROJECT_MEMBER, "Delete a server.", (("DELETE", "/servers/{id}"),)),
)
