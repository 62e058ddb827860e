"""Resize and cold migration as server actions, and what ends them."""

from __future__ import annotations

from nova_lite import exception
from nova_lite.api.openstack.compute.schemas import cold_moves as schemas
from nova_lite.api.openstack.microversions import HOST_IN_MIGRATE
from nova_lite.api.openstack.request import Request
from nova_lite.api.openstack.validation import validated
from nova_lite.compute.api import API
from nova_lite.objects import Instance

_HOST_RULE = "os_compute_api:os-migrate-server:migrate:host"
_DISK_CONFIG = "OS-DCF:diskConfig"


class ColdMovesController:
    def __init__(self, compute: API) -> None:
        self._moves = compute.cold_moves

    @validated(body=schemas.RESIZE)
    def resize(self, req: Request, server: Instance) -> None:
        """
        :raises Invalid: the flavor is not there, or the server cannot be of it
        """
        body = req.body["resize"]
        auto = body[_DISK_CONFIG] == "AUTO" if _DISK_CONFIG in body else None
        try:
            self._moves.resize(req.ctxt, server, str(body["flavorRef"]), auto)
        except exception.FlavorNotFound as error:
            raise exception.Invalid(str(error)) from None

    @validated(body=schemas.CONFIRM)
    def confirm(self, req: Request, server: Instance) -> None:
        self._moves.confirm(req.ctxt, server)

    @validated(body=schemas.REVERT)
    def revert(self, req: Request, server: Instance) -> None:
        self._moves.revert(req.ctxt, server)

    @validated(body=schemas.MIGRATE)
    def migrate(self, req: Request, server: Instance) -> None:
        wish = req.body["migrate"]
        host = wish.get("host") if req.wants(HOST_IN_MIGRATE) and wish else None
        if host:
            req.authorize(_HOST_RULE, {"project_id": server.project_id, "user_id": server.user_id})
        self._moves.migrate(req.ctxt, server, host or None)
