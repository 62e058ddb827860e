"""Server groups: list, create, show, delete."""

from __future__ import annotations

import uuid
from typing import Any

from oslo_config import cfg

from nova_lite import exception, quota
from nova_lite.api.openstack import pagination
from nova_lite.api.openstack.compute.schemas import server_groups as schemas
from nova_lite.api.openstack.compute.views import server_groups as views
from nova_lite.api.openstack.microversions import GROUP_RULES
from nova_lite.api.openstack.request import Request
from nova_lite.api.openstack.validation import validated
from nova_lite.db.api import server_groups
from nova_lite.objects import GroupPolicy, ServerGroup

# No table has so many rows, and no database counts further.
_BEYOND = 2**31 - 1


class ServerGroupsController:
    def __init__(self, conf: cfg.ConfigOpts) -> None:
        self._conf = conf

    @validated(query=schemas.LIST_QUERY)
    def index(self, req: Request) -> dict[str, Any]:
        """The project's groups; every project's for an administrator who names ``all_projects``, whatever its value."""
        project_id: str | None = str(req.ctxt.project_id)
        if "all_projects" in req.query and req.ctxt.is_admin:
            req.authorize("os_compute_api:os-server-groups:index:all_projects")
            project_id = None
        offset = min(int(req.first("offset") or 0), _BEYOND)
        # Here a limit of zero is none, as in Nova.
        limit = pagination.limit_of(req) or self._conf.api.max_limit
        found = server_groups.list(project_id, limit, offset)
        return {"server_groups": [views.item(group, req.version) for group in found]}

    @validated(body=schemas.CREATE)
    def create(self, req: Request) -> dict[str, Any]:
        """
        :raises Invalid: rules for a policy that has none
        :raises OverQuota: the project has as many groups as it may
        """
        body = req.body["server_group"]
        policy = body["policy"] if req.wants(GROUP_RULES) else body["policies"][0]
        rules = {name: int(value) for name, value in body.get("rules", {}).items()}
        if rules and policy != GroupPolicy.ANTI_AFFINITY:
            raise exception.Invalid("Only anti-affinity policy supports rules.")
        group = ServerGroup(
            uuid=str(uuid.uuid4()),
            project_id=str(req.ctxt.project_id),
            user_id=str(req.ctxt.user_id),
            name=body["name"].strip(),
            policy=policy,
            rules=rules,
        )
        server_groups.create(group, quota.limits(group.project_id, self._conf))
        return {"server_group": views.item(group, req.version)}

    def show(self, req: Request, group: ServerGroup) -> dict[str, Any]:
        return {"server_group": views.item(group, req.version)}

    def delete(self, req: Request, group: ServerGroup) -> None:
        """Its members, if it has any, go on without a group."""
        server_groups.destroy(group.uuid)
