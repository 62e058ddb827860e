"""Bodies of attached interfaces."""

from __future__ import annotations

from nova_lite.api.openstack.compute.schemas import types as t
from nova_lite.api.openstack.microversions import Versioned

_ADDRESSES: t.Schema = {
    "type": "array",
    "minItems": 1,
    "maxItems": 1,
    "items": t.closed({"ip_address": t.IP_ADDRESS}, ("ip_address",)),
}
_INTERFACE = t.closed({"net_id": t.UUID, "port_id": t.UUID, "fixed_ips": _ADDRESSES})

CREATE = Versioned(
    v2_1=t.closed({"interfaceAttachment": _INTERFACE}),
    v2_49=t.closed({"interfaceAttachment": t.add(_INTERFACE, {"tag": t.TAG})}),
)
