"""The live migrations of a server that are under way: read, aborted, forced to an end."""

from __future__ import annotations

from typing import Any

from nova_lite import exception
from nova_lite.api.openstack.compute.schemas import server_migrations as schemas
from nova_lite.api.openstack.compute.views import server_migrations as views
from nova_lite.api.openstack.microversions import EARLY_ABORT
from nova_lite.api.openstack.request import Request
from nova_lite.api.openstack.validation import validated
from nova_lite.compute.api import API
from nova_lite.objects import Instance, MigrationType
from nova_lite.objects.migration import IN_PROGRESS

_HOSTS = "os_compute_api:servers:migrations:index:host"


class ServerMigrationsController:
    def __init__(self, compute: API) -> None:
        self._moves = compute.live_moves

    def index(self, req: Request, server: Instance) -> dict[str, Any]:
        hosts = req.may(_HOSTS, {"project_id": server.project_id, "user_id": server.user_id})
        found = self._moves.in_progress(server)
        return {"migrations": [views.item(each, req.version, hosts=hosts) for each in found]}

    def show(self, req: Request, server: Instance, id: str) -> dict[str, Any]:
        """
        :raises NotFound: no such move of this server, no live migration, or not under way
        """
        try:
            found = self._moves.one(server, id)
        except exception.MigrationNotFoundForInstance:
            raise exception.NotFound(
                f"In-progress live migration {id} is not found for server {server.uuid}."
            ) from None
        if found.migration_type != MigrationType.LIVE:
            raise exception.NotFound(f"Migration {id} for server {server.uuid} is not live-migration.")
        if found.status not in IN_PROGRESS:
            raise exception.NotFound(f"Live migration {id} for server {server.uuid} is not in progress.")
        return {"migration": views.item(found, req.version, hosts=True)}

    def abort(self, req: Request, server: Instance, id: str) -> None:
        self._moves.abort(req.ctxt, server, id, early=req.wants(EARLY_ABORT))

    @validated(body=schemas.FORCE_COMPLETE)
    def force_complete(self, req: Request, server: Instance, id: str) -> None:
        self._moves.force_complete(req.ctxt, server, id)
