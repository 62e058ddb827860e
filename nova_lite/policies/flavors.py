"""Rules of flavors, their extra specs and access lists. Everybody may list and show flavors."""

from __future__ import annotations

from nova_lite.policies.base import ADMIN, PROJECT_READER, Rule

_SPECS = "/flavors/{flavor_id}/os-extra_specs"
_SHOWS = (
    ("GET", _SPECS),
    ("GET", "/flavors/detail"),
    ("GET", "/flavors/{id}"),
    ("POST", "/flavors"),
    ("PUT", "/flavors/{id}"),
)
_P = "os_compute_api:os-flavor-"

RULES: tuple[Rule, ...] = (
    Rule(_P + "manage:create", ADMIN, "Create a flavor.", (("POST", "/flavors"),)),
    Rule(_P + "manage:update", ADMIN, "Change a flavor's description.", (("PUT", "/flavors/{id}"),)),
    Rule(_P + "manage:delete", ADMIN, "Delete a flavor.", (("DELETE", "/flavors/{id}"),)),
    Rule(_P + "extra-specs:index", PROJECT_READER, "See a flavor's extra specs.", _SHOWS),
    Rule(_P + "extra-specs:show", PROJECT_READER, "See one extra spec.", (("GET", _SPECS + "/{id}"),)),
    Rule(_P + "extra-specs:create", ADMIN, "Add extra specs to a flavor.", (("POST", _SPECS),)),
    Rule(_P + "extra-specs:update", ADMIN, "Change an extra spec.", (("PUT", _SPECS + "/{id}"),)),
    Rule(_P + "extra-specs:delete", ADMIN, "Remove an extra spec.", (("DELETE", _SPECS + "/{id}"),)),
    Rule(
        _P + "access",
        ADMIN,
        "See which projects may use a flavor.",
        (("GET", "/flavors/{flavor_id}/os-flavor-access"),),
    ),
    Rule(
        _P + "access:add_tenant_access",
        ADMIN,
        "Let a project use a private flavor.",
        (("POST", "/flavors/{id}/action (addTenantAccess)"),),
    ),
    Rule(
        _P + "access:remove_tenant_access",
        ADMIN,
        "Take a private flavor away from a project.",
        (("POST", "/flavors/{id}/action (removeTenantAccess)"),),
    ),
)
