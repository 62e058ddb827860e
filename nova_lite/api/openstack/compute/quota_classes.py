"""Quota classes: limits of every project that has none of its own. The class ``default`` is the one in force."""

from __future__ import annotations

from typing import Any

from oslo_config import cfg

from nova_lite import exception, quota
from nova_lite.api.openstack.compute.quota_sets import SETTABLE
from nova_lite.api.openstack.compute.schemas import quota_sets as schemas
from nova_lite.api.openstack.compute.views import quota_sets as views
from nova_lite.api.openstack.request import Request
from nova_lite.api.openstack.validation import validated
from nova_lite.db.api import quotas
from nova_lite.db.text import storable

_MAX_NAME = 255


class QuotaClassesController:
    def __init__(self, conf: cfg.ConfigOpts) -> None:
        self._conf = conf

    def show(self, req: Request, id: str) -> dict[str, Any]:
        _check_name(id)
        return views.show_class(self._limits(id), req.version, id)

    @validated(body=schemas.UPDATE_CLASS)
    def update(self, req: Request, id: str) -> dict[str, Any]:
        _check_name(id)
        for name, limit in req.body["quota_class_set"].items():
            if name in SETTABLE or name in views.NETWORK:
                quotas.set_class_limit(name, int(limit), id)
        return views.show_class(self._limits(id), req.version, None)

    def _limits(self, class_name: str) -> dict[str, int]:
        return quota.configured(self._conf) | quotas.class_limits(class_name)


def _check_name(name: str) -> None:
    """
    :raises Invalid: no database keeps such a name
    """
    if len(name) > _MAX_NAME or not storable(name):
        raise exception.Invalid("Invalid quota class name.")
