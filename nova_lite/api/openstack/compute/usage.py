"""Usage: how many hours of servers, memory, disk and vCPUs projects used over a time."""

from __future__ import annotations

import datetime
from typing import Any

from nova_lite import exception
from nova_lite.api.openstack import pagination
from nova_lite.api.openstack.compute.quota_sets import Project
from nova_lite.api.openstack.compute.schemas import usage as schemas
from nova_lite.api.openstack.compute.views import usage as views
from nova_lite.api.openstack.microversions import USAGE_PAGES
from nova_lite.api.openstack.request import Request
from nova_lite.api.openstack.validation import validated
from nova_lite.clock import utcnow
from nova_lite.db.api import usage

_FORMS = ("%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%S.%f", "%Y-%m-%d %H:%M:%S.%f")
_PATH = "os-simple-tenant-usage"


class UsageController:
    @validated(query=schemas.INDEX)
    def index(self, req: Request) -> dict[str, Any]:
        """Every project's sums; with ``detailed=1`` their servers as well."""
        projects, links = _projects(req, _PATH, None)
        if req.first("detailed") != "1":
            for project in projects:
                del project["server_usages"]
        return {"tenant_usages": projects, **({"tenant_usages_links": links} if links else {})}

    @validated(query=schemas.SHOW)
    def show(self, req: Request, project: Project) -> dict[str, Any]:
        projects, links = _projects(req, f"{_PATH}/{project.project_id}", project.project_id)
        shown = projects[0] if projects else {}
        return {"tenant_usage": shown, **({"tenant_usage_links": links} if links else {})}


def _projects(req: Request, path: str, project_id: str | None) -> tuple[list[dict[str, Any]], list[Any] | None]:
    """The views of the projects, and the link to the next page: what is paged are their servers."""
    begin, end = _time(req)
    if not req.wants(USAGE_PAGES):
        found = usage.list(begin, end, project_id)
        return views.projects(found, begin, end, utcnow()), None
    limit = pagination.limit_of(req)
    found = usage.list(begin, end, project_id, limit, req.first("marker"))
    links = pagination.links_of(req, path, found, limit, lambda server: server.uuid)
    return views.projects(found, begin, end, utcnow()), links


def _time(req: Request) -> tuple[datetime.datetime, datetime.datetime]:
    """The time asked for; what is not said is now.

    :raises Invalid: a text that is no time, or an end that does not come after the start
    """
    begin = _moment(req.first("start"))
    end = _moment(req.first("end"))
    if begin >= end and (req.first("start") or req.first("end")):
        raise exception.Invalid("Invalid start time. The start time cannot occur after the end time.")
    return begin, end


def _moment(text: str | None) -> datetime.datetime:
    if not text:
        return utcnow()
    for form in _FORMS:
        try:
            return datetime.datetime.strptime(text, form)
        except ValueError:
            continue
    raise exception.Invalid("Invalid datetime string: Datetime is in invalid format")
