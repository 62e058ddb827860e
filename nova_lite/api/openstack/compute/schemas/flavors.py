"""Bodies and queries of flavors, extra specs and access lists."""

from __future__ import annotations

from nova_lite.api.openstack.compute.schemas import types as t
from nova_lite.api.openstack.microversions import Versioned

_MOST = 0x7FFFFFFF


def _count(least: int) -> t.Schema:
    return {"type": ["integer", "string"], "pattern": "^[0-9]*$", "minLength": 1, "minimum": least, "maximum": _MOST}


_FLAVOR = t.closed(
    {
        "name": t.NAME,
        "id": {
            "type": ["string", "number", "null"],
            "minimum": 0,
            "minLength": 0,
            "maxLength": 255,
            "pattern": "^(?! )[a-zA-Z0-9. _-]*(?<! )$",
        },
        "ram": _count(1),
        "vcpus": _count(1),
        "disk": _count(0),
        "OS-FLV-EXT-DATA:ephemeral": _count(0),
        "swap": _count(0),
        "rxtx_factor": {
            "type": ["number", "string"],
            "pattern": r"^[0-9]+(\.[0-9]+)?$",
            "minimum": 0.0,
            "exclusiveMinimum": 0.0,
            "maximum": 3.40282e38,
        },
        "os-flavor-access:is_public": t.BOOLEAN,
    },
    ("name", "ram", "vcpus", "disk"),
)
_FLAVOR_DESCRIPTION: t.Schema = {**t.DESCRIPTION, "maxLength": 65535}

_F55 = t.add(_FLAVOR, {"description": _FLAVOR_DESCRIPTION})
CREATE = Versioned(
    v2_1=t.closed({"flavor": _FLAVOR}, ("flavor",)),
    v2_55=t.closed({"flavor": _F55}, ("flavor",)),
    v2_102=t.closed({"flavor": t.without(_F55, "rxtx_factor")}, ("flavor",)),
)
UPDATE = t.closed({"flavor": t.closed({"description": _FLAVOR_DESCRIPTION}, ("description",))}, ("flavor",))

# The columns of Nova's table, which its clients sort by; two of them are always equal here.
SORT_KEYS = (
    "created_at", "description", "disabled", "ephemeral_gb", "flavorid", "id", "is_public", "memory_mb", "name",
    "root_gb", "rxtx_factor", "swap", "updated_at", "vcpu_weight", "vcpus",
)  # fmt: skip

_QUERY = {
    "limit": t.NON_NEGATIVE_INT,
    "marker": {"type": "string"},
    "is_public": {"type": "string"},
    "minRam": {"type": "string"},
    "minDisk": {"type": "string"},
    "sort_key": {"type": "string", "enum": list(SORT_KEYS)},
    "sort_dir": {"type": "string", "enum": ["asc", "desc"]},
}
_Q102 = {
    **_QUERY,
    "name": {"type": "string"},
    "sort_key": {"type": "string", "enum": [key for key in SORT_KEYS if key != "rxtx_factor"]},
}
LIST_QUERY = Versioned(
    v2_1=t.query(_QUERY), v2_75=t.query(_QUERY, strict=True), v2_102=t.query(_Q102, strict=True)
)

_KEY = "^[a-zA-Z0-9-_:. ]{1,255}$"
_SPEC: t.Schema = {"type": ["string", "number"], "maxLength": 255}
SPECS = t.closed(
    {"extra_specs": {"type": "object", "patternProperties": {_KEY: _SPEC}, "additionalProperties": False}},
    ("extra_specs",),
)
ONE_SPEC: t.Schema = {
    "type": "object",
    "patternProperties": {_KEY: _SPEC},
    "minProperties": 1,
    "maxProperties": 1,
    "additionalProperties": False,
}


def access(key: str) -> t.Schema:
    """The body of addTenantAccess and removeTenantAccess."""
    return t.action(key, t.closed({"tenant": {"type": "string", "minLength": 1, "maxLength": 255}}, ("tenant",)))
