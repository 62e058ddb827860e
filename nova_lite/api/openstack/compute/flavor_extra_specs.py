"""A flavor's extra specs."""

from __future__ import annotations

from typing import Any

from nova_lite import exception
from nova_lite.api.openstack.compute.flavors import visible
from nova_lite.api.openstack.compute.schemas import flavors as schemas
from nova_lite.api.openstack.request import Request
from nova_lite.api.openstack.validation import validated
from nova_lite.db.api import flavors


class FlavorExtraSpecsController:
    def index(self, req: Request, flavor_id: str) -> dict[str, Any]:
        return {"extra_specs": visible(req, flavor_id).extra_specs}

    def show(self, req: Request, flavor_id: str, id: str) -> dict[str, Any]:
        """
        :raises NotFound: the flavor has no such key
        """
        specs = visible(req, flavor_id).extra_specs
        if id not in specs:
            raise _no_spec(flavor_id, id)
        return {id: specs[id]}

    @validated(body=schemas.SPECS)
    def create(self, req: Request, flavor_id: str) -> dict[str, Any]:
        specs = {key: str(value) for key, value in req.body["extra_specs"].items()}
        visible(req, flavor_id)
        flavors.set_extra_specs(flavor_id, specs)
        return {"extra_specs": specs}

    @validated(body=schemas.ONE_SPEC)
    def update(self, req: Request, flavor_id: str, id: str) -> dict[str, Any]:
        """
        :raises Invalid: the body speaks of another key
        """
        if id not in req.body:
            raise exception.Invalid("Request body and URI mismatch")
        specs = {id: str(req.body[id])}
        visible(req, flavor_id)
        flavors.set_extra_specs(flavor_id, specs)
        return specs

    def delete(self, req: Request, flavor_id: str, id: str) -> None:
        """
        :raises NotFound: the flavor has no such key
        """
        if id not in visible(req, flavor_id).extra_specs:
            raise _no_spec(flavor_id, id)
        flavors.delete_extra_spec(flavor_id, id)


def _no_spec(flavorid: str, key: str) -> exception.NotFound:
    return exception.NotFound(f"Flavor {flavorid} has no extra specs with key {key}.")
