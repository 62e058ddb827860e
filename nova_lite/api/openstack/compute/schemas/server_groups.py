"""Bodies and queries of server groups."""

from __future__ import annotations

from nova_lite.api.openstack.compute.schemas import types as t
from nova_lite.api.openstack.microversions import Versioned

_HARD = ["anti-affinity", "affinity"]
_ALL = [*_HARD, "soft-anti-affinity", "soft-affinity"]


def _policies(words: list[str]) -> t.Schema:
    """A list that always has one member."""
    return {"type": "array", "items": {"enum": words}, "minItems": 1, "maxItems": 1, "uniqueItems": True}


def _body(group: t.Schema) -> t.Schema:
    return t.closed({"server_group": group}, ("server_group",))


_G1 = t.closed({"name": t.NAME, "policies": _policies(_HARD)}, ("name", "policies"))
_G15 = t.add(_G1, {"policies": _policies(_ALL)})
_G64 = t.add(
    t.without(_G15, "policies"),
    {"policy": {"type": "string", "enum": _ALL}, "rules": t.closed({"max_server_per_host": t.POSITIVE_INT})},
    ("policy",),
)

CREATE = Versioned(v2_1=_body(_G1), v2_15=_body(_G15), v2_64=_body(_G64))

_LIST = t.query({"all_projects": {"type": "string"}, "limit": t.NON_NEGATIVE_INT, "offset": t.NON_NEGATIVE_INT})
LIST_QUERY = Versioned(v2_1=_LIST, v2_75=t.strict(_LIST))
