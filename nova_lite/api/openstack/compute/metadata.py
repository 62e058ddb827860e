"""Metadata of servers."""

from __future__ import annotations

from typing import Any

from nova_lite import exception
from nova_lite.api.openstack.compute.schemas import metadata as schemas
from nova_lite.api.openstack.request import Request
from nova_lite.api.openstack.validation import validated
from nova_lite.compute.api import API
from nova_lite.objects import Instance


class MetadataController:
    def __init__(self, compute: API) -> None:
        self._metadata = compute.metadata

    def index(self, req: Request, server: Instance) -> dict[str, Any]:
        return {"metadata": server.metadata}

    @validated(body=schemas.ITEMS)
    def create(self, req: Request, server: Instance) -> dict[str, Any]:
        return {"metadata": self._metadata.merge(req.ctxt, server, req.body["metadata"])}

    @validated(body=schemas.ITEMS)
    def update_all(self, req: Request, server: Instance) -> dict[str, Any]:
        return {"metadata": self._metadata.replace(req.ctxt, server, req.body["metadata"])}

    def show(self, req: Request, server: Instance, id: str) -> dict[str, Any]:
        """
        :raises MetadataItemNotFound: the server has no such item
        """
        if id not in server.metadata:
            raise exception.MetadataItemNotFound()
        return {"meta": {id: server.metadata[id]}}

    @validated(body=schemas.ITEM)
    def update(self, req: Request, server: Instance, id: str) -> dict[str, Any]:
        """
        :raises Invalid: the body is about another item than the path
        """
        item = req.body["meta"]
        if id not in item:
            raise exception.Invalid("Request body and URI mismatch")
        self._metadata.merge(req.ctxt, server, item)
        return {"meta": item}

    def delete(self, req: Request, server: Instance, id: str) -> None:
        self._metadata.remove(req.ctxt, server, id)
