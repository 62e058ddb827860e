"""The body of external events; later versions know more names."""

from __future__ import annotations

from nova_lite.api.openstack.compute.schemas import types as t
from nova_lite.api.openstack.microversions import Versioned
from nova_lite.objects.external_event import EventName

_NETWORK = [EventName.NETWORK_CHANGED, EventName.VIF_PLUGGED, EventName.VIF_UNPLUGGED, EventName.VIF_DELETED]
_V51 = [*_NETWORK, EventName.VOLUME_EXTENDED]
_V76 = [*_V51, EventName.POWER_UPDATE]
_V82 = [*_V76, EventName.ACCELERATOR_BOUND]
_V93 = [*_V82, EventName.VOLUME_REIMAGED]


def _body(names: list[EventName]) -> t.Schema:
    event = t.closed(
        {
            "server_uuid": t.UUID,
            "name": {"type": "string", "enum": [str(name) for name in names]},
            "status": {"type": "string", "enum": ["failed", "completed", "in-progress"]},
            "tag": {"type": "string", "maxLength": 255},
        },
        ("server_uuid", "name"),
    )
    return t.closed({"events": {"type": "array", "minItems": 1, "items": event}}, ("events",))


CREATE = Versioned(
    v2_1=_body(_NETWORK), v2_51=_body(_V51), v2_76=_body(_V76), v2_82=_body(_V82), v2_93=_body(_V93)
)
