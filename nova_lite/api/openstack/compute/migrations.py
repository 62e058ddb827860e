"""Migrations over the cloud: every move of a server, under way or ended."""

from __future__ import annotations

import datetime
from typing import Any

from oslo_utils import strutils

from nova_lite import exception
from nova_lite.api.openstack import formats, pagination
from nova_lite.api.openstack.compute.schemas import migrations as schemas
from nova_lite.api.openstack.compute.views import migrations as views
from nova_lite.api.openstack.microversions import MIGRATION_PAGES
from nova_lite.api.openstack.request import Request
from nova_lite.api.openstack.validation import validated
from nova_lite.db.api import migrations

_HOSTS = "os_compute_api:os-migrations:index:host"
_ALL_PROJECTS = "os_compute_api:os-migrations:index:all_projects"
_FILTERS = ("host", "instance_uuid", "migration_type", "project_id", "source_compute", "status", "user_id")


class MigrationsController:
    @validated(query=schemas.INDEX)
    def index(self, req: Request) -> dict[str, Any]:
        """
        :raises Invalid: changes-before lies before changes-since. :raises MarkerNotFound: the marker is no migration
        """
        filters = {name: value for name in _FILTERS if (value := req.last(name)) is not None}
        own = str(req.ctxt.project_id)
        if not req.may(_ALL_PROJECTS) and filters.setdefault("project_id", own) != own:
            raise exception.PolicyNotAuthorized(rule=_ALL_PROJECTS)
        since, before = _time(req, "changes-since"), _time(req, "changes-before")
        if since is not None and before is not None and before < since:
            raise exception.Invalid("The value of changes-since must be less than or equal to changes-before.")
        pages = req.wants(MIGRATION_PAGES)
        limit = pagination.limit_of(req) if pages else None
        hidden = strutils.bool_from_string(req.last("hidden") or "false")
        found = (
            [] if hidden  # nothing here hides one
            else migrations.list(filters, since, before, req.last("marker"), limit, newest_first=pages)
        )  # fmt: skip
        hosts = req.may(_HOSTS)
        shown = [views.item(each, req.version, req.links, hosts=hosts) for each in found]
        if limit is None:
            return {"migrations": shown}
        return pagination.page(req, "os-migrations", "migrations", shown, found, limit, lambda each: each.uuid)


def _time(req: Request, key: str) -> datetime.datetime | None:
    text = req.last(key)
    return formats.parse_time(text) if text is not None else None
