"""Services: which daemons there are, and whether they live."""

from __future__ import annotations

from typing import Any

from oslo_config import cfg
from oslo_utils import strutils

from nova_lite import exception, liveness
from nova_lite.api.openstack.compute.availability_zones import zone_reader
from nova_lite.api.openstack.compute.schemas import operators as schemas
from nova_lite.api.openstack.compute.schemas import services as bodies
from nova_lite.api.openstack.compute.views.services import ServiceViews, own_binary, shown_binary
from nova_lite.api.openstack.formats import is_uuid
from nova_lite.api.openstack.microversions import FORCED_DOWN, UUID_NODES
from nova_lite.api.openstack.request import Request
from nova_lite.api.openstack.validation import validated
from nova_lite.db.api import services


class ServicesController:
    def __init__(self, conf: cfg.ConfigOpts) -> None:
        self._conf = conf

    @validated(query=schemas.SERVICES)
    def index(self, req: Request) -> dict[str, Any]:
        binary = req.last("binary")
        found = services.list(binary=own_binary(binary) if binary else None, host=req.last("host") or None)
        views = self._views(req)
        return {"services": [views.item(service) for service in found]}

    @validated(body=bodies.UPDATE)
    def update(self, req: Request, id: str) -> dict[str, Any]:
        """Enable, disable or force down: the path is the word to 2.52, the service's uuid from 2.53."""
        if not req.wants(UUID_NODES):
            return self._update_by_word(req, id)
        if not is_uuid(id):
            raise exception.Invalid(f"Invalid uuid {id}")
        service, body = services.get(id), req.body
        if "disabled_reason" in body and body.get("status") != "disabled":
            raise exception.Invalid("Specifying disabled_reason is not supported when status is not disabled.")
        if not body:
            raise exception.Invalid("No updates were requested. Fields 'status' or 'forced_down' should be specified.")
        if service.binary != liveness.COMPUTE:
            binary = shown_binary(service.binary)
            raise exception.Invalid(f"Updating a {binary} service is not supported. Only nova-compute services can be.")
        if "status" in body:
            service = services.set_disabled(id, body["status"] == "disabled", body.get("disabled_reason"))
        if "forced_down" in body:
            service = services.set_forced_down(id, strutils.bool_from_string(body["forced_down"], strict=True))
        return {"service": self._views(req).item(service)}

    def _update_by_word(self, req: Request, word: str) -> dict[str, Any]:
        """
        :raises NotFound: no such word at this version, or no such service
        """
        body = req.body
        answer: dict[str, Any] = {"host": body["host"], "binary": body["binary"]}
        known = ("enable", "disable", "disable-log-reason", *(("force-down",) if req.wants(FORCED_DOWN) else ()))
        if word not in known:
            raise exception.NotFound("Unknown action")
        service = services.get_by_host(body["host"], own_binary(body["binary"]))
        if word == "force-down":
            if "forced_down" not in body:
                raise exception.Invalid("Missing forced_down field")
            forced_down = strutils.bool_from_string(body["forced_down"], strict=True)
            services.set_forced_down(service.uuid, forced_down)
            return {"service": {**answer, "forced_down": forced_down}}
        reason = body.get("disabled_reason") if word == "disable-log-reason" else None
        if word == "disable-log-reason":
            if reason is None:
                raise exception.Invalid("Missing disabled reason field")
            answer["disabled_reason"] = reason
        services.set_disabled(service.uuid, word != "enable", reason)
        return {"service": {**answer, "status": "enabled" if word == "enable" else "disabled"}}

    def _views(self, req: Request) -> ServiceViews:
        down_s = self._conf.operations.service_down_s
        return ServiceViews(req.version, zone_reader(self._conf), lambda service: liveness.is_up(service, down_s))
