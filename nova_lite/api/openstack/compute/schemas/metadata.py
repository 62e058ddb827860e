"""Bodies of server metadata."""

from __future__ import annotations

from nova_lite.api.openstack.compute.schemas import types as t

ITEMS = t.closed({"metadata": t.METADATA}, ("metadata",))
ITEM = t.closed({"meta": {**t.METADATA, "minProperties": 1, "maxProperties": 1}}, ("meta",))
