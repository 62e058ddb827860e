"""Bodies and queries of a server's volume attachments."""

from __future__ import annotations

from nova_lite.api.openstack.compute.schemas import types as t
from nova_lite.api.openstack.microversions import Versioned

_DEVICE: t.Schema = {"type": ["string", "null"], "pattern": "(^/dev/x{0,1}[a-z]{0,1}d{0,1})([a-z]+)[0-9]*$"}


def _body(attachment: t.Schema) -> t.Schema:
    return t.closed({"volumeAttachment": attachment}, ("volumeAttachment",))


_CREATE = t.closed({"volumeId": t.UUID, "device": _DEVICE}, ("volumeId",))
_C49 = t.add(_CREATE, {"tag": t.TAG})
_C79 = t.add(_C49, {"delete_on_termination": t.BOOLEAN})

CREATE = Versioned(v2_1=_body(_CREATE), v2_49=_body(_C49), v2_79=_body(_C79))

_UPDATE = t.closed({"volumeId": t.UUID}, ("volumeId",))
_U85 = t.add(
    _UPDATE,
    {"device": _DEVICE, "tag": t.TAG, "delete_on_termination": t.BOOLEAN, "serverId": t.UUID, "id": t.UUID},
)

UPDATE = Versioned(v2_1=_body(_UPDATE), v2_85=_body(_U85))

_PAGE = {"limit": t.NON_NEGATIVE_INT, "offset": t.NON_NEGATIVE_INT}

LIST_QUERY = Versioned(v2_1=t.query(_PAGE), v2_75=t.query(_PAGE, strict=True))
