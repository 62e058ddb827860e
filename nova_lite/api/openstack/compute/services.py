"""Services: which daemons there are, and whether they live."""

from __future__ import annotations

import re
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
from nova_lite.db.api import migrations, services
from nova_lite.objects import Service


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
        _check_is_compute(shown_binary(service.binary))
        if body.get("status") == "enabled" and body.get("disabled_reason"):
            raise exception.Invalid("Specifying 'disabled_reason' with status 'enabled' is invalid.")
        if not {"status", "forced_down"} & body.keys():
            raise exception.Invalid("No updates were requested. Fields 'status' or 'forced_down' should be specified.")
        forced_down = strutils.bool_from_string(body["forced_down"], strict=True) if "forced_down" in body else None
        if forced_down is False:
            _check_may_be_up(service)
        if "status" in body:
            service = services.set_disabled(id, body["status"] == "disabled", body.get("disabled_reason"))
        if forced_down is not None:
            service = services.set_forced_down(id, forced_down)
        return {"service": self._views(req).item(service)}

    def _update_by_word(self, req: Request, word: str) -> dict[str, Any]:
        """
        :raises NotFound: no such word at this version, or no such service
        :raises Invalid: what the word needs is missing, or the service is no host's
        """
        body = req.body
        answer: dict[str, Any] = {"host": body["host"], "binary": body["binary"]}
        known = ("enable", "disable", "disable-log-reason", *(("force-down",) if req.wants(FORCED_DOWN) else ()))
        if word not in known:
            raise exception.NotFound("Unknown action")
        if word == "force-down" and "forced_down" not in body:
            raise exception.Invalid("Missing forced_down field")
        if word == "disable-log-reason" and "disabled_reason" not in body:
            raise exception.Invalid("Missing disabled reason field")
        _check_is_compute(shown_binary(own_binary(body["binary"])))
        service = _on_host(body["host"], body["binary"])
        if word == "force-down":
            forced_down = strutils.bool_from_string(body["forced_down"], strict=True)
            if not forced_down:
                _check_may_be_up(service)
            services.set_forced_down(service.uuid, forced_down)
            return {"service": {**answer, "forced_down": forced_down}}
        reason = body["disabled_reason"] if word == "disable-log-reason" else None
        if reason is not None:
            answer["disabled_reason"] = reason
        services.set_disabled(service.uuid, word != "enable", reason)
        return {"service": {**answer, "status": "enabled" if word == "enable" else "disabled"}}

    def delete(self, req: Request, id: str) -> None:
        """
        :raises NotFound: no such service
        :raises Invalid: the id has not the version's form
        :raises HostInUse: servers or moves need the host
        """
        if req.wants(UUID_NODES):
            if not is_uuid(id):
                raise exception.Invalid(f"Invalid uuid {id}")
        elif not re.fullmatch(r"-?\d+", id, re.ASCII):
            raise exception.Invalid("Invalid input received: id must be an integer")
        for service in services.list():
            if id == (service.uuid if req.wants(UUID_NODES) else str(service.id)):
                services.destroy(service.uuid)
                return
        raise exception.NotFound(f"Service {id} not found.")

    def _views(self, req: Request) -> ServiceViews:
        down_s = self._conf.operations.service_down_s
        return ServiceViews(req.version, zone_reader(self._conf), lambda service: liveness.is_up(service, down_s))


def _check_is_compute(binary: str) -> None:
    """
    :raises Invalid: what serves no servers cannot be kept from them
    """
    if binary != shown_binary(liveness.COMPUTE):
        raise exception.Invalid(
            f"Updating a {binary} service is not supported. Only nova-compute services can be updated."
        )


def _check_may_be_up(service: Service) -> None:
    """
    :raises Invalid: the host was forced down, its servers were evacuated, and it may still have them
    """
    if service.forced_down and migrations.evacuated(service.host):
        raise exception.Invalid(
            f"Unable to force up host {service.host} as `done` evacuation migration records remain associated with "
            "the host. Ensure the compute service has been restarted, allowing these records to move to `completed` "
            "before retrying this request."
        )


def _on_host(host: str, binary: str) -> Service:
    try:
        return services.get_by_host(host, own_binary(binary))
    except exception.ServiceNotFound:
        raise exception.NotFound(f"Could not find binary {binary} on host {host}.") from None
