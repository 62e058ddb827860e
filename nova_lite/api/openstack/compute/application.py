"""Puts the compute API together: controllers with what they need, the table, the dispatcher."""

from __future__ import annotations

from typing import Any

from oslo_config import cfg

from nova_lite import exception
from nova_lite.api.openstack import retired, versions
from nova_lite.api.openstack.compute.availability_zones import AvailabilityZonesController
from nova_lite.api.openstack.compute.extensions import ExtensionsController
from nova_lite.api.openstack.compute.flavor_access import FlavorAccessController
from nova_lite.api.openstack.compute.flavor_extra_specs import FlavorExtraSpecsController
from nova_lite.api.openstack.compute.flavors import FlavorsController
from nova_lite.api.openstack.compute.hypervisors import HypervisorsController
from nova_lite.api.openstack.compute.instance_actions import InstanceActionsController
from nova_lite.api.openstack.compute.keypairs import KeypairsController
from nova_lite.api.openstack.compute.limits import LimitsController
from nova_lite.api.openstack.compute.server_actions import ServerActionsController
from nova_lite.api.openstack.compute.servers import ServersController
from nova_lite.api.openstack.compute.services import ServicesController
from nova_lite.api.openstack.formats import is_uuid
from nova_lite.api.openstack.microversions import DELETED_SERVERS_ACTIONS
from nova_lite.api.openstack.request import Request
from nova_lite.api.openstack.resource import Dispatcher, Subject
from nova_lite.api.openstack.routes import ROUTES
from nova_lite.compute.api import API
from nova_lite.db.api import instances
from nova_lite.objects import Instance


def build(conf: cfg.ConfigOpts, *, legacy: bool = False, compute: API | None = None) -> Dispatcher:
    """The application of one endpoint; ``compute`` may be given by tests."""
    compute = compute or API(conf)
    return Dispatcher(ROUTES, controllers(conf, compute), subjects(compute), legacy=legacy)


def controllers(conf: cfg.ConfigOpts, compute: API) -> dict[str, Any]:
    """Every controller of the table by name."""
    return {
        "api_versions": versions.ApiVersionsController(),
        "availability_zones": AvailabilityZonesController(conf),
        "extensions": ExtensionsController(),
        "flavor_access": FlavorAccessController(),
        "flavor_extra_specs": FlavorExtraSpecsController(),
        "flavors": FlavorsController(),
        "hypervisors": HypervisorsController(conf),
        "instance_actions": InstanceActionsController(),
        "keypairs": KeypairsController(),
        "limits": LimitsController(conf),
        "retired": retired.RetiredController(),
        "server_actions": ServerActionsController(compute),
        "servers": ServersController(compute, conf),
        "services": ServicesController(conf),
    }


def subjects(compute: API) -> dict[str, Subject]:
    """What an id in a path is looked up as; another project's is not found, as if it were not there."""

    def server(req: Request, uuid: str) -> Instance:
        if not is_uuid(uuid):
            raise exception.InstanceNotFound(instance_uuid=uuid)
        return compute.get(req.ctxt, uuid)

    def server_or_deleted(req: Request, uuid: str) -> Instance:
        if not req.wants(DELETED_SERVERS_ACTIONS) or not is_uuid(uuid):
            return server(req, uuid)
        project_id = None if req.ctxt.is_admin else str(req.ctxt.project_id)
        return instances.get(uuid, project_id=project_id, include_deleted=True)

    return {"server": server, "server_or_deleted": server_or_deleted}
