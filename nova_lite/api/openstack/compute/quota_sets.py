"""Quota sets: the limits and use of a project, or of one user within it."""

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
from nova_lite.db.api import quotas, user_quotas

# A project that has no row of its own has what everybody has.
_NOBODY = ""
_UNLIMITED = -1
# What a limit can be set of; of what other services count it is taken and forgotten.
SETTABLE = (*views.RESOURCES, *views.FILES)


@dataclass(frozen=True)
class Project:
    """The project that a path names; the identity service alone knows whether there is one."""

    project_id: str
    user_id: str | None = None


class QuotaSetsController:
    """``user_id`` asks for, or changes, the limits of one user within the project."""

    def __init__(self, conf: cfg.ConfigOpts) -> None:
        self._conf = conf

    @validated(query=schemas.QUERY)
    def show(self, req: Request, project: Project) -> dict[str, Any]:
        return views.show(self._limits(project, req.last("user_id")), req.version, project.project_id)

    @validated(query=schemas.QUERY)
    def detail(self, req: Request, project: Project) -> dict[str, Any]:
        user_id = req.last("user_id")
        usage = quota.usage(project.project_id, user_id)
        return views.show(self._limits(project, user_id), req.version, project.project_id, usage)

    def defaults(self, req: Request, project: Project) -> dict[str, Any]:
        return views.show(quota.limits(_NOBODY, self._conf), req.version, project.project_id)

    @validated(body=schemas.UPDATE, query=schemas.QUERY)
    def update(self, req: Request, project: Project) -> dict[str, Any]:
        """
        :raises Invalid: a limit below what is in use, or one that does not fit the project's, without force
        """
        user_id, asked = req.last("user_id"), req.body["quota_set"]
        limits = {name: int(asked[name]) for name in SETTABLE if name in asked}
        if not strutils.bool_from_string(asked.get("force", False)):
            self._check(limits, project.project_id, user_id)
        for name, limit in limits.items():
            if user_id is None:
                quotas.set_limit(project.project_id, name, limit)
            else:
                user_quotas.set_limit(project.project_id, user_id, name, limit)
        return views.show(self._limits(project, user_id), req.version, None)

    @validated(query=schemas.QUERY)
    def delete(self, req: Request, project: Project) -> None:
        """A project's limits take those of its users with them."""
        user_id = req.last("user_id")
        user_quotas.forget(project.project_id, user_id)
        if user_id is None:
            quotas.forget_limits(project.project_id)

    def _limits(self, project: Project, user_id: str | None) -> dict[str, int]:
        return quota.limits(project.project_id, self._conf, user_id)

    def _check(self, limits: dict[str, int], project_id: str, user_id: str | None) -> None:
        """A limit covers what is in use; a project's also what its users have, a user's leaves these theirs.

        :raises Invalid: it does not
        """
        usage, users = quota.usage(project_id, user_id), user_quotas.sums(project_id)
        whole, own = quota.limits(project_id, self._conf), user_quotas.limits(project_id, user_id or "")
        for name, limit in limits.items():
            fewest, most = usage.get(name, 0), _UNLIMITED
            if user_id is None:
                fewest = max(fewest, users.get(name, 0))
            elif whole.get(name, _UNLIMITED) != _UNLIMITED:
                most = whole[name] - users.get(name, 0) + max(own.get(name, 0), 0)
            if _size(limit) < fewest:
                raise exception.Invalid(
                    f"Quota limit {limit} for {name} must be greater than or equal to already used and reserved "
                    f"{fewest}."
                )
            if _size(limit) > _size(most):
                raise exception.Invalid(f"Quota limit {limit} for {name} must be less than or equal to {most}.")


def _size(limit: int) -> float:
    return float("inf") if limit == _UNLIMITED else limit
