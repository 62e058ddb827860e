"""What projects used, as JSON: sums over a time, with the servers they are made of."""

from __future__ import annotations

import datetime
from collections.abc import Sequence

from nova_lite.api.openstack.compute.views.times import micro
from nova_lite.api.openstack.compute.views.undo import View
from nova_lite.objects.server_usage import ServerUsage

# What had come to an end is not in a state any more.
_ENDED = "terminated"


def projects(
    found: Sequence[ServerUsage], begin: datetime.datetime, end: datetime.datetime, now: datetime.datetime
) -> list[View]:
    """A view of each project, in the order of their first servers."""
    by_project: dict[str, list[ServerUsage]] = {}
    for usage in found:
        by_project.setdefault(usage.project_id, []).append(usage)
    return [_project(project_id, servers, begin, end, now) for project_id, servers in by_project.items()]


def _project(
    project_id: str,
    servers: Sequence[ServerUsage],
    begin: datetime.datetime,
    end: datetime.datetime,
    now: datetime.datetime,
) -> View:
    hours = [usage.hours(begin, end) for usage in servers]
    sizes = [(usage.flavor, spent) for usage, spent in zip(servers, hours, strict=True)]
    return {
        "tenant_id": project_id,
        "start": micro(begin),
        "stop": micro(end),
        "total_hours": sum(hours),
        "total_local_gb_usage": sum((flavor.root_gb + flavor.ephemeral_gb) * spent for flavor, spent in sizes),
        "total_memory_mb_usage": sum(flavor.memory_mb * spent for flavor, spent in sizes),
        "total_vcpus_usage": sum(flavor.vcpus * spent for flavor, spent in sizes),
        "server_usages": [_server(usage, spent, now) for usage, spent in zip(servers, hours, strict=True)],
    }


def _server(usage: ServerUsage, hours: float, now: datetime.datetime) -> View:
    return {
        "instance_id": usage.uuid,
        "name": usage.name,
        "tenant_id": usage.project_id,
        "flavor": usage.flavor.name,
        "vcpus": usage.flavor.vcpus,
        "memory_mb": usage.flavor.memory_mb,
        "local_gb": usage.flavor.root_gb + usage.flavor.ephemeral_gb,
        "hours": hours,
        "started_at": micro(usage.started_at),
        "ended_at": micro(usage.ended_at),
        "state": usage.vm_state if usage.ended_at is None else _ENDED,
        "uptime": int(((usage.ended_at or now) - usage.started_at).total_seconds()),
    }
