"""Bodies of changes to a service: by host and binary to 2.52, by uuid from 2.53."""

from __future__ import annotations

from nova_lite.api.openstack.compute.schemas import types as t
from nova_lite.api.openstack.microversions import Versioned

_REASON: t.Schema = {"type": "string", "minLength": 1, "maxLength": 255}
_BY_HOST = t.closed(
    {"host": t.HOST, "binary": {"type": "string", "minLength": 1, "maxLength": 255}, "disabled_reason": _REASON},
    ("host", "binary"),
)

UPDATE = Versioned(
    v2_1=_BY_HOST,
    v2_11=t.add(_BY_HOST, {"forced_down": t.BOOLEAN}),
    v2_53=t.closed(
        {
            "status": {"type": "string", "enum": ["enabled", "disabled"]},
            "disabled_reason": _REASON,
            "forced_down": t.BOOLEAN,
        }
    ),
)
