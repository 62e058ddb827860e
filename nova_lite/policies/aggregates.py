"""Rules of aggregates: all of them are the administrators' business."""

from __future__ import annotations

from nova_lite.policies.base import ADMIN, Rule

_P = "os_compute_api:os-aggregates:"
_ALL, _ONE = "/os-aggregates", "/os-aggregates/{id}"


def _action(name: str, description: str) -> Rule:
    return Rule(_P + name, ADMIN, description, (("POST", f"{_ONE}/action ({name})"),))


RULES: tuple[Rule, ...] = (
    Rule(_P + "index", ADMIN, "List aggregates.", (("GET", _ALL),)),
    Rule(_P + "create", ADMIN, "Create an aggregate.", (("POST", _ALL),)),
    Rule(_P + "show", ADMIN, "Show an aggregate.", (("GET", _ONE),)),
    Rule(_P + "update", ADMIN, "Rename an aggregate or change its zone.", (("PUT", _ONE),)),
    Rule(_P + "delete", ADMIN, "Delete an empty aggregate.", (("DELETE", _ONE),)),
    _action("add_host", "Put a host into an aggregate."),
    _action("remove_host", "Take a host out of an aggregate."),
    _action("set_metadata", "Change an aggregate's metadata."),
)
