"""Bodies of server tags."""

from __future__ import annotations

from nova_lite.api.openstack.compute.schemas import types as t
from nova_lite.compute.doors.tags import MOST

TAGS = t.closed({"tags": {"type": "array", "items": t.TAG, "maxItems": MOST}}, ("tags",))
# The tag itself is in the path.
NOTHING: t.Schema = {"type": "null"}
