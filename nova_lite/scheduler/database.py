"""State and Planner on the database: one snapshot for many decisions, one transaction for each claim."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

from nova_lite import exception, liveness
from nova_lite.clock import monotonic
from nova_lite.db import clock
from nova_lite.db.api import aggregates, allocations, compute_nodes, operations, server_groups, services
from nova_lite.db.session import retry_on_deadlock, writer
from nova_lite.objects import Allocation, GroupRule, RequestSpec
from nova_lite.objects.aggregate import zone_of_hosts
from nova_lite.scheduler.host_state import HostState
from nova_lite.scheduler.snapshot import Snapshot, build

# Reading thousands of hosts takes a while: it is done again after this many times that long, or more.
READINGS_APART = 4


class DatabaseState:
    """Reads all hosts at most once at a time, however many ask; those who come meanwhile share the answer.

    ``max_age_s`` is how long what was read is recent, at least: large clouds are not read without a pause. Zero reads
    every time.
    """

    def __init__(
        self,
        down_after_s: float,
        default_zone: str,
        max_age_s: float = 1.0,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._down_after_s = down_after_s
        self._default_zone = default_zone
        self._clock = clock
        self._lock = threading.Lock()
        self._max_age_s = max_age_s
        self._cached: Snapshot | None = None
        self._recent_until = 0.0

    def recent(self) -> Snapshot:
        return self._known_or_read(lambda known: self._clock() < self._recent_until)

    def since(self, moment: float) -> Snapshot:
        return self._known_or_read(lambda known: known.taken_at >= moment)

    def _known_or_read(self, is_good: Callable[[Snapshot], bool]) -> Snapshot:
        known = self._cached
        if known is not None and is_good(known):
            return known
        with self._lock:
            # Who held the lock may have read what we need.
            if self._cached is None or not is_good(self._cached):
                self._cached = self._read()
            return self._cached

    def _read(self) -> Snapshot:
        taken_at = self._clock()  # before the reading: what is sold during it may be missing
        computes = services.list(binary=liveness.COMPUTE)
        groups = aggregates.list()
        nodes = compute_nodes.list_all()
        zones = zone_of_hosts(groups)
        now = clock.now()
        seen = [liveness.as_observed(service, self._down_after_s, now) for service in computes]
        snapshot = build(nodes, seen, zones, self._default_zone, now, self._down_after_s, taken_at, groups)
        ended_at = self._clock()
        pause_s = max(self._max_age_s, READINGS_APART * (ended_at - taken_at)) if self._max_age_s else 0.0
        self._recent_until = ended_at + pause_s
        return snapshot


class DatabasePlanner:
    """Claims by compare-and-swap: the room is checked where the claim is written, and so is the group's policy."""

    @retry_on_deadlock
    def claim(self, host: HostState, spec: RequestSpec, beside: Collection[str]) -> bool:
        # Without the generation: a host that others claimed meanwhile is lost only when there is no room left.
        sizes = {"vcpus": spec.vcpus, "memory_mb": spec.memory_mb, "disk_gb": spec.disk_gb}
        with writer():
            if not _is_wanted(spec):
                return False
            if spec.group and not server_groups.may_stand(spec.group.uuid, spec.instance_uuid, host.host):
                return False
            return allocations.claim(host.node_uuid, spec.instance_uuid, **sizes, beside=beside)

    def claims_of(self, instance_uuids: Iterable[str]) -> Mapping[str, Sequence[Allocation]]:
        return allocations.of_instances(instance_uuids)

    def group_rule(self, spec: RequestSpec) -> GroupRule | None:
        return server_groups.rule(spec.group.uuid, spec.instance_uuid) if spec.group is not None else None


def _is_wanted(spec: RequestSpec) -> bool:
    """Whether the turn that asks is still under way: a question that comes late, or twice, would claim for nobody."""
    if spec.operation_id is None or spec.attempt is None:
        return True
    try:
        operations.hold(spec.operation_id, spec.attempt)
    except exception.StaleWrite:
        return False
    return True
