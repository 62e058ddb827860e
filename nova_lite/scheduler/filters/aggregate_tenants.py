"""AggregateMultiTenancyIsolation: hosts of an aggregate that names projects are for those projects only.

The metadata keys are ``filter_tenant_id``, and with any suffix for more than one line of projects (commas separate).
"""

from __future__ import annotations

from nova_lite.objects import RequestSpec
from nova_lite.scheduler.base import Filter
from nova_lite.scheduler.host_state import HostState

KEY = "filter_tenant_id"


class AggregateMultiTenancyIsolation(Filter):
    name = "AggregateMultiTenancyIsolation"
    cost = 20

    def passes(self, host: HostState, spec: RequestSpec) -> str | None:
        if not host.metadata:
            return None
        projects = {
            project.strip() for key, value in host.metadata if key.startswith(KEY) for project in value.split(",")
        }
        if not projects or spec.project_id in projects:
            return None
        return f"its aggregates keep it for {len(projects)} other project(s)"
