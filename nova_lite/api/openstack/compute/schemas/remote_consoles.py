"""Bodies of remote consoles."""

from __future__ import annotations

from nova_lite.api.openstack.compute.schemas import types as t
from nova_lite.api.openstack.microversions import Versioned


def _create(protocols: list[str], types: list[str]) -> t.Schema:
    console = t.closed(
        {"protocol": {"type": "string", "enum": protocols}, "type": {"type": "string", "enum": types}},
        ("protocol", "type"),
    )
    return t.closed({"remote_console": console}, ("remote_console",))


_PROTOCOLS = ["vnc", "spice", "serial"]
_TYPES = ["novnc", "spice-html5", "serial"]

CREATE = Versioned(
    v2_6=_create(_PROTOCOLS, _TYPES),
    v2_8=_create([*_PROTOCOLS, "mks"], [*_TYPES, "webmks"]),
    v2_99=_create([*_PROTOCOLS, "mks"], [*_TYPES, "webmks", "spice-direct"]),
)
VNC = t.action("os-getVNCConsole", t.closed({"type": {"type": "string", "enum": ["novnc"]}}, ("type",)))
TOKEN_QUERY = Versioned(v2_1=t.query({}), v2_99=t.query({}, strict=True))
