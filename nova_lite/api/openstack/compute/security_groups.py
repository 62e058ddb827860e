"""Security groups of a server: list, add, remove."""

from __future__ import annotations

from typing import Any

from nova_lite.api.openstack.compute.schemas import security_groups as schemas
from nova_lite.api.openstack.compute.views.security_groups import group
from nova_lite.api.openstack.request import Request
from nova_lite.api.openstack.validation import validated
from nova_lite.compute.api import API
from nova_lite.objects import Instance


class SecurityGroupsController:
    def __init__(self, compute: API) -> None:
        self._interfaces = compute.interfaces

    def index(self, req: Request, server: Instance) -> dict[str, Any]:
        return {"security_groups": [group(each) for each in self._interfaces.security_groups(req.ctxt, server)]}

    @validated(body=schemas.ADD)
    def add(self, req: Request, server: Instance) -> None:
        self._interfaces.add_security_group(req.ctxt, server, req.body["addSecurityGroup"]["name"])

    @validated(body=schemas.REMOVE)
    def remove(self, req: Request, server: Instance) -> None:
        self._interfaces.remove_security_group(req.ctxt, server, req.body["removeSecurityGroup"]["name"])
