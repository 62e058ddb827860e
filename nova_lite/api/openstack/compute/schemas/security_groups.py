"""Bodies of the actions that put a security group on a server or take it off."""

from __future__ import annotations

from nova_lite.api.openstack.compute.schemas import types as t

_NAMED = t.closed({"name": {"type": "string", "minLength": 1}}, ("name",))

ADD = t.action("addSecurityGroup", _NAMED)
REMOVE = t.action("removeSecurityGroup", _NAMED)
