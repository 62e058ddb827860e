"""The controllers of what keeps a site in order: server groups, aggregates, quota classes, usage, external events."""

from __future__ import annotations

from typing import Any

from oslo_config import cfg

from nova_lite.api.openstack.compute.aggregates import AggregatesController
from nova_lite.api.openstack.compute.migrations import MigrationsController
from nova_lite.api.openstack.compute.quota_classes import QuotaClassesController
from nova_lite.api.openstack.compute.server_external_events import ServerExternalEventsController
from nova_lite.api.openstack.compute.server_groups import ServerGroupsController
from nova_lite.api.openstack.compute.usage import UsageController
from nova_lite.api.openstack.compute.usage_audit import UsageAuditController
from nova_lite.compute.api import API


def controllers(conf: cfg.ConfigOpts, compute: API) -> dict[str, Any]:
    """By name, as the rows of the table name them."""
    return {
        "aggregates": AggregatesController(),
        "migrations": MigrationsController(),
        "quota_classes": QuotaClassesController(conf),
        "server_external_events": ServerExternalEventsController(compute),
        "server_groups": ServerGroupsController(conf),
        "usage": UsageController(),
        "usage_audit": UsageAuditController(),
    }
