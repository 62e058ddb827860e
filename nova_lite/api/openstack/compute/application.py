"""Puts the compute API together: the table, its controllers, the dispatcher."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from oslo_config import cfg

from nova_lite import exception
from nova_lite.api.openstack.compute.controllers import controllers
from nova_lite.api.openstack.compute.quota_sets import Project
from nova_lite.api.openstack.formats import is_uuid
from nova_lite.api.openstack.microversions import DELETED_SERVERS_ACTIONS
from nova_lite.api.openstack.request import Request
from nova_lite.api.openstack.resource import Dispatcher, Subject
from nova_lite.api.openstack.routes import ROUTES
from nova_lite.compute.api import API
from nova_lite.db.api import instances, server_groups
from nova_lite.db.text import storable
from nova_lite.objects import Instance, ServerGroup

# What a column of a name or an id of another service holds.
_MAX_NAME = 255


def build(conf: cfg.ConfigOpts, *, legacy: bool = False, compute: API | None = None) -> Dispatcher:
    """The application of one endpoint; ``compute`` may be given by tests."""
    compute = compute or API(conf)
    return Dispatcher(ROUTES, controllers(conf, compute), subjects(compute), legacy=legacy)


def handlers(conf: cfg.ConfigOpts, compute: API | None = None) -> dict[str, Callable[..., Any]]:
    """The controllers' methods by the name in the row, for whoever describes the calls."""
    known = controllers(conf, compute or API(conf))
    names = {route.handler: route.handler.split(":") for route in ROUTES}
    return {name: getattr(known[controller], method) for name, (controller, method) in names.items()}


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

    def project(req: Request, project_id: str) -> Project:
        if len(project_id) > _MAX_NAME or not storable(project_id):
            raise exception.Invalid("Invalid project id.")
        return Project(project_id, req.ctxt.user_id)

    def server_group(req: Request, uuid: str) -> ServerGroup:
        if not is_uuid(uuid):
            raise exception.ServerGroupNotFound(group_uuid=uuid)
        return server_groups.get(uuid, project_id=None if req.ctxt.is_admin else str(req.ctxt.project_id))

    return {"server": server, "server_or_deleted": server_or_deleted, "project": project, "server_group": server_group}
