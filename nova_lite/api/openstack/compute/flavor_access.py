"""Which projects may use a private flavor."""

from __future__ import annotations

from typing import Any

from nova_lite import exception
from nova_lite.api.openstack.compute.flavors import visible
from nova_lite.api.openstack.compute.schemas import flavors as schemas
from nova_lite.api.openstack.microversions import NO_ACCESS_LIST_FOR_PUBLIC_FLAVORS
from nova_lite.api.openstack.request import Request
from nova_lite.api.openstack.validation import validated
from nova_lite.db.api import flavors


class FlavorAccessController:
    def index(self, req: Request, flavor_id: str) -> dict[str, Any]:
        """
        :raises NotFound: the flavor is public, so there is no list
        """
        if visible(req, flavor_id).is_public:
            raise exception.NotFound("Access list not available for public flavors.")
        return _list(flavor_id)

    @validated(body=schemas.access("addTenantAccess"))
    def add(self, req: Request, id: str) -> dict[str, Any]:
        """
        :raises Conflict: the flavor is public, or the project may use it already
        """
        if visible(req, id).is_public and req.wants(NO_ACCESS_LIST_FOR_PUBLIC_FLAVORS):
            raise exception.Conflict("Can not add access to a public flavor.")
        flavors.add_access(id, req.body["addTenantAccess"]["tenant"])
        return _list(id)

    @validated(body=schemas.access("removeTenantAccess"))
    def remove(self, req: Request, id: str) -> dict[str, Any]:
        visible(req, id)
        flavors.remove_access(id, req.body["removeTenantAccess"]["tenant"])
        return _list(id)


def _list(flavorid: str) -> dict[str, Any]:
    return {"flavor_access": [{"flavor_id": flavorid, "tenant_id": project} for project in flavors.access(flavorid)]}
