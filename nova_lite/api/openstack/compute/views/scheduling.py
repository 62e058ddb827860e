"""The scheduler's verdict as JSON."""

from __future__ import annotations

from typing import Any

from nova_lite.api.openstack.compute.views.times import micro
from nova_lite.objects import Diagnosis, Operation, Verdict


def show(operation: Operation) -> dict[str, Any]:
    """Refusals are a sample where there are many; ``refused_by_filter`` has them all."""
    kept = dict(operation.verdict or {})
    refusals = tuple(Verdict(**each) for each in kept.pop("refusals", ()))
    found = Diagnosis(**kept, refusals=refusals)
    return {
        "scheduling": {
            "action": operation.action,
            "request_id": operation.request_id,
            "start_time": micro(operation.start_time),
            "summary": found.summary(),
            "hosts_considered": found.considered,
            "chosen_host": found.chosen,
            "weights": dict(found.weights),
            "refused_by_filter": dict(found.counts),
            "refusals": [
                {"host": each.host, "hypervisor_hostname": each.node, "filter": each.filter, "reason": each.reason}
                for each in found.refusals
            ],
            "nearest_miss": found.nearest,
            "note": found.note,
        }
    }
