"""Quota sets: a project's limits and use. Users have no limits of their own here; ``user_id`` shows the project's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from oslo_config import cfg
from oslo_utils import strutils

from nova_lite import exception, quota
from nova_lite.api.openstack.compute.schemas import quota_sets as schemas
from nova_lite.api.openstack.compute.views import quota_sets as views
from nova_lite.api.openstack.request import Request
from nova_lite.api.openstack.validation import validated
from nova_lite.db.api import quotas

# A project that has no row of its own has what everybody has.
_NOBODY = ""


@dataclass(frozen=True)
class Project:
    """The project that a path names; the identity service alone knows whether there is one."""

    project_id: str
    user_id: str | None = None


class QuotaSetsController:
    def __init__(self, conf: cfg.ConfigOpts) -> None:
        self._conf = conf

    @validated(query=schemas.QUERY)
    def show(self, req: Request, project: Project) -> dict[str, Any]:
        return views.show(quota.limits(project.project_id, self._conf), req.version, project.project_id)

    @validated(query=schemas.QUERY)
    def detail(self, req: Request, project: Project) -> dict[str, Any]:
        return views.show(
            quota.limits(project.project_id, self._conf),
            req.version,
            project.project_id,
            quota.usage(project.project_id),
        )

    def defaults(self, req: Request, project: Project) -> dict[str, Any]:
        return views.show(quota.limits(_NOBODY, self._conf), req.version, project.project_id)

    @validated(body=schemas.UPDATE, query=schemas.QUERY)
    def update(self, req: Request, project: Project) -> dict[str, Any]:
        """
        :raises Invalid: a limit below what is in use, without force; or a limit for one user
        """
        _refuse_users(req)
        asked = req.body["quota_set"]
        limits = {name: int(asked[name]) for name in views.RESOURCES if name in asked}
        if not strutils.bool_from_string(asked.get("force", False)):
            _check_use(limits, quota.usage(project.project_id))
        for name, limit in limits.items():
            quotas.set_limit(project.project_id, name, limit)
        return views.show(quota.limits(project.project_id, self._conf), req.version, None)

    @validated(query=schemas.QUERY)
    def delete(self, req: Request, project: Project) -> None:
        _refuse_users(req)
        quotas.forget_limits(project.project_id)


def _refuse_users(req: Request) -> None:
    if "user_id" in req.query:
        raise exception.Invalid("Quotas of single users are not supported; set the project's.")


def _check_use(limits: dict[str, int], usage: dict[str, int]) -> None:
    for name, limit in limits.items():
        used = usage.get(name, 0)
        if 0 <= limit < used:
            raise exception.Invalid(
                f"Quota limit {limit} for {name} must be greater than or equal to already used and reserved {used}."
            )
