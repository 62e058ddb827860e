"""Bodies of aggregates."""

from __future__ import annotations

from nova_lite.api.openstack.compute.schemas import types as t

# A colon would make "zone:host" of it.
_ZONE: t.Schema = {**t.NAME, "type": ["string", "null"], "pattern": "^[^:]*$"}
_AGGREGATE = t.closed({"name": t.NAME, "availability_zone": _ZONE}, ("name",))
_CHANGES: t.Schema = {
    **t.without(_AGGREGATE),
    "required": [],
    "anyOf": [{"required": ["name"]}, {"required": ["availability_zone"]}],
}

CREATE = t.closed({"aggregate": _AGGREGATE}, ("aggregate",))
UPDATE = t.closed({"aggregate": _CHANGES}, ("aggregate",))
ADD_HOST = t.action("add_host", t.closed({"host": t.HOST}, ("host",)))
REMOVE_HOST = t.action("remove_host", t.closed({"host": t.HOST}, ("host",)))
_METADATA: t.Schema = {
    "type": "object",
    "patternProperties": {"^[a-zA-Z0-9-_:. ]{1,255}$": {"type": ["string", "null"], "maxLength": 255}},
    "additionalProperties": False,
}
SET_METADATA = t.action("set_metadata", t.closed({"metadata": _METADATA}, ("metadata",)))
