"""Do the books of the lab agree: servers, allocations, usage counters, operations and the fake driver's guests?"""

from __future__ import annotations

import time

from tests.harness.laboratory import Laboratory


def guests(cloud: Laboratory) -> list[str]:
    """Ids of the fake driver's guests on both hosts, one entry a copy."""
    return [path.stem for path in (cloud.lab.root / "state" / cloud.fleet.database).rglob("*.guest")]


def consistent(cloud: Laboratory) -> list[str]:
    """What disagrees between servers, allocations, usage counters and guests; empty when all is well."""
    wrong = []
    alive = {row[0]: row[1] for row in cloud.rows("SELECT uuid, vm_state FROM instances WHERE deleted_at IS NULL")}
    held = [row[0] for row in cloud.rows("SELECT instance_uuid FROM allocations")]
    active = sorted(server for server, vm_state in alive.items() if vm_state == "active")
    if stray := [server for server in held if server not in alive]:
        wrong.append(f"allocations of no server: {stray}")
    if twice := [server for server in set(held) if held.count(server) > 1]:
        wrong.append(f"allocated twice: {twice}")
    if unheld := [server for server in active if server not in held]:
        wrong.append(f"active without an allocation: {unheld}")
    if sorted(guests(cloud)) != active:
        wrong.append(f"guests {sorted(guests(cloud))}, active servers {active}")
    wrong += usage_differs(cloud)
    if left := cloud.rows("SELECT instance_uuid, action, state FROM operations WHERE finish_time IS NULL"):
        wrong.append(f"open operations: {left}")
    return wrong


def agree(cloud: Laboratory, timeout_s: float = 30) -> None:
    """Everything agrees within the time: the last step of an operation may come after the state of its server."""
    end = time.monotonic() + timeout_s
    while wrong := consistent(cloud):
        assert time.monotonic() < end, "\n".join(wrong)
        time.sleep(0.2)


def usage_differs(cloud: Laboratory) -> list[str]:
    """Nodes whose counters are not the sum of their allocations."""
    rows = cloud.rows(
        "SELECT n.host, n.memory_mb_used, n.vcpus_used, coalesce(sum(a.memory_mb), 0), coalesce(sum(a.vcpus), 0) "
        "FROM compute_nodes n LEFT JOIN allocations a ON a.node_uuid = n.uuid "
        "GROUP BY n.host, n.memory_mb_used, n.vcpus_used"
    )
    return [f"usage of {row[0]}: {row[1:3]} against {row[3:]}" for row in rows if row[1:3] != row[3:]]
