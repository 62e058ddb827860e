"""Tags of servers."""

from __future__ import annotations

from typing import Any

from nova_lite import exception
from nova_lite.api.openstack.compute.schemas import tags as schemas
from nova_lite.api.openstack.compute.schemas import types
from nova_lite.api.openstack.request import Request, Response
from nova_lite.api.openstack.validation import Checker, validated
from nova_lite.compute.api import API
from nova_lite.objects import Instance

_TAG = Checker(types.TAG, is_body=True)


class TagsController:
    def __init__(self, compute: API) -> None:
        self._tags = compute.tags

    def index(self, req: Request, server: Instance) -> dict[str, Any]:
        return {"tags": list(server.tags)}

    @validated(body=schemas.TAGS)
    def update_all(self, req: Request, server: Instance) -> dict[str, Any]:
        return {"tags": list(self._tags.replace(req.ctxt, server, req.body["tags"]))}

    def delete_all(self, req: Request, server: Instance) -> None:
        self._tags.clear(req.ctxt, server)

    def show(self, req: Request, server: Instance, id: str) -> None:
        """
        :raises InstanceTagNotFound: the server has no such tag
        """
        if id not in server.tags:
            raise exception.InstanceTagNotFound(instance_uuid=server.uuid, tag=id)

    @validated(body=schemas.NOTHING)
    def update(self, req: Request, server: Instance, id: str) -> Response | None:
        """
        :raises Invalid: the path's last word is no tag
        """
        try:
            _TAG.check(id)
        except exception.ValidationError as error:
            raise exception.Invalid(
                f"Tag '{id}' is invalid. It must be a non empty string without characters '/' and ','. "
                f"Validation error message: {error.message}"
            ) from None
        if not self._tags.add(req.ctxt, server, id):
            return None
        location = req.links.to(f"servers/{server.uuid}/tags", id)
        return Response(status=201, headers=[("Location", location)])

    def delete(self, req: Request, server: Instance, id: str) -> None:
        self._tags.remove(req.ctxt, server, id)
