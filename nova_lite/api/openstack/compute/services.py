"""Services: which daemons there are, and whether they live."""

from __future__ import annotations

from typing import Any

from oslo_config import cfg

from nova_lite import liveness
from nova_lite.api.openstack.compute.availability_zones import zone_reader
from nova_lite.api.openstack.compute.schemas import operators as schemas
from nova_lite.api.openstack.compute.views.services import ServiceViews, own_binary
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
        down_s = self._conf.operations.service_down_s
        views = ServiceViews(req.version, zone_reader(self._conf), lambda service: liveness.is_up(service, down_s))
        return {"services": [views.item(service) for service in found]}
