"""The body of an evacuation."""

from __future__ import annotations

from nova_lite.api.openstack.compute.schemas import types as t
from nova_lite.api.openstack.microversions import Versioned

_PASSWORD: t.Schema = {"type": "string"}

_FIRST = t.closed({"host": t.HOST, "onSharedStorage": t.BOOLEAN, "adminPass": _PASSWORD}, ("onSharedStorage",))
_NO_STORAGE = t.without(_FIRST, "onSharedStorage")

EVACUATE = Versioned(
    v2_1=t.action("evacuate", _FIRST),
    v2_14=t.action("evacuate", _NO_STORAGE),
    v2_29=t.action("evacuate", t.add(_NO_STORAGE, {"force": t.BOOLEAN})),
    v2_68=t.action("evacuate", _NO_STORAGE),
)
