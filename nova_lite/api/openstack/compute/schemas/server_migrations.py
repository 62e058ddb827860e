"""The body of what is asked of a live migration under way."""

from __future__ import annotations

from nova_lite.api.openstack.compute.schemas import types as t

FORCE_COMPLETE = t.action("force_complete", {"type": "null"})
