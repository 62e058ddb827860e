"""A verdict as JSON."""

from __future__ import annotations

import dataclasses

from nova_lite.api.openstack.compute.views import scheduling
from nova_lite.objects import Diagnosis, Operation, OperationState, Verdict
from tests.harness.builders import NOW


def test_every_part_of_a_diagnosis_is_shown() -> None:
    refusals = (Verdict("h1", "n1", "RamFilter", "64 MiB short"),)
    found = Diagnosis(2, refusals, {"h2": 1.5}, "h2", {"RamFilter": 1}, "h1 short of 64 MB", "raced once")
    verdict = dataclasses.asdict(found)
    operation = Operation(
        1, "req-1", "uuid", "create", "p", "u", OperationState.DONE, "conductor", start_time=NOW, verdict=verdict
    )
    assert scheduling.show(operation) == {
        "scheduling": {
            "action": "create",
            "request_id": "req-1",
            "start_time": "2026-11-20T12:00:00.000000",
            "summary": "2 host(s) considered: refused 1 by RamFilter; raced once.",
            "hosts_considered": 2,
            "chosen_host": "h2",
            "weights": {"h2": 1.5},
            "refused_by_filter": {"RamFilter": 1},
            "refusals": [
                {"host": "h1", "hypervisor_hostname": "n1", "filter": "RamFilter", "reason": "64 MiB short"}
            ],
            "nearest_miss": "h1 short of 64 MB",
            "note": "raced once",
        }
    }
    assert verdict == dataclasses.asdict(found), "the operation's own is not changed"
