"""SchedulerHarness: the scheduler's two doors in memory, so that whole decisions are tested without a database."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence

from nova_lite.objects import Allocation, ComputeNode, GroupRule, Placement, RequestSpec, Service
from nova_lite.scheduler import filters, weighers
from nova_lite.scheduler.host_state import HostState
from nova_lite.scheduler.planning import Planning
from nova_lite.scheduler.selection import Pipeline
from nova_lite.scheduler.snapshot import Snapshot, build
from tests.harness.builders import NOW, make_service

MULTIPLIERS = {
    "ram_weight_multiplier": 1.0,
    "cpu_weight_multiplier": 1.0,
    "disk_weight_multiplier": 1.0,
    "build_failure_weight_multiplier": 1_000_000.0,
    "soft_affinity_weight_multiplier": 1.0,
    "soft_anti_affinity_weight_multiplier": 1.0,
}


def make_pipeline(names: Iterable[str] | None = None, **options: object) -> Pipeline:
    """All filters and weighers with Nova's multipliers, unless named."""
    enabled = [each.name for each in filters.OPTIONAL] if names is None else names
    multipliers = {**MULTIPLIERS, **{key: options.pop(key) for key in list(options) if key in MULTIPLIERS}}
    return Pipeline(filters.load(enabled), weighers.load(multipliers), **options)  # type: ignore[arg-type]


class SchedulerHarness:
    """Hosts, services and claims; State and Planner at once. ``time_s`` is the clock, moved by the test."""

    def __init__(self, nodes: Iterable[ComputeNode], services: Iterable[Service] | None = None) -> None:
        self.nodes = {node.uuid: node for node in nodes}
        hosts = {node.host for node in self.nodes.values()}
        self.services = list(services) if services is not None else [make_service(host) for host in sorted(hosts)]
        self.zones: dict[str, str] = {}
        self.claims: defaultdict[str, list[Allocation]] = defaultdict(list)
        self.groups: defaultdict[str, set[str]] = defaultdict(set)
        self.time_s = 1000.0
        self.snapshots_taken = 0
        self.claims_asked: list[tuple[str, str]] = []
        self._cached: Snapshot | None = None

    # -- State ------------------------------------------------------------------------------------

    def recent(self) -> Snapshot:
        return self.since(self.time_s - 1.0)

    def since(self, moment: float) -> Snapshot:
        if self._cached is None or self._cached.taken_at < moment:
            self.snapshots_taken += 1
            nodes = self.nodes.values()
            self._cached = build(nodes, self.services, self.zones, "nova", NOW, 30.0, self.time_s)
        return self._cached

    # -- Planner ----------------------------------------------------------------------------------

    def claim(self, host: HostState, spec: RequestSpec, beside: Collection[str] = ()) -> bool:
        """As the database does it: no more than the limit, and no claims of the server elsewhere."""
        self.claims_asked.append((spec.instance_uuid, host.node_uuid))
        node = self.nodes.get(host.node_uuid)
        elsewhere = {each.node_uuid for each in self.claims[spec.instance_uuid]} - {host.node_uuid, *beside}
        rule = self.group_rule(spec)
        if node is None or elsewhere or not fits(node, spec) or (rule and rule.refusal(node.host)):
            return False
        self.nodes[node.uuid] = node.replace(
            vcpus_used=node.vcpus_used + spec.vcpus,
            memory_mb_used=node.memory_mb_used + spec.memory_mb,
            local_gb_used=node.local_gb_used + spec.disk_gb,
            generation=node.generation + 1,
        )
        held = Allocation(spec.instance_uuid, node.uuid, spec.vcpus, spec.memory_mb, spec.disk_gb)
        self.claims[spec.instance_uuid].append(held)
        return True

    def claims_of(self, instance_uuids: Iterable[str]) -> Mapping[str, Sequence[Allocation]]:
        return {uuid: tuple(self.claims[uuid]) for uuid in instance_uuids if self.claims.get(uuid)}

    def group_rule(self, spec: RequestSpec) -> GroupRule | None:
        """The members are the servers that ``groups`` names; they are where their claims are."""
        if spec.group is None:
            return None
        hosts: defaultdict[str, int] = defaultdict(int)
        for uuid in self.groups[spec.group.uuid]:
            for claim in self.claims.get(uuid, ()) if uuid != spec.instance_uuid else ():
                hosts[self.nodes[claim.node_uuid].host] += 1
        return spec.group.replace(hosts=dict(hosts))

    # -- what tests ask ---------------------------------------------------------------------------

    def clock(self) -> float:
        """Every look at the clock takes a millisecond, as time does."""
        self.time_s += 0.001
        return self.time_s

    def planning(self, pipeline: Pipeline | None = None, rounds: int = 5) -> Planning:
        return Planning(self, self, pipeline or make_pipeline(), rounds=rounds, clock=self.clock)

    def place(self, spec: RequestSpec, alternates: int = 0, pipeline: Pipeline | None = None) -> Placement:
        return self.planning(pipeline).place(spec, alternates)

    def oversold(self) -> list[str]:
        """Hosts that sold more than they have: must always be empty."""
        return [node.host for node in self.nodes.values() if not _within(node)]


class RejectingPlanner:
    """A planner that loses every race, or the first so many; it takes the room for somebody else if told so."""

    def __init__(self, harness: SchedulerHarness, times: int | None = None, thief: RequestSpec | None = None) -> None:
        self._harness = harness
        self._left = times
        self._thief = thief
        self.rejected: list[str] = []

    def claim(self, host: HostState, spec: RequestSpec, beside: Collection[str] = ()) -> bool:
        if self._left is not None and len(self.rejected) >= self._left:
            return self._harness.claim(host, spec, beside)
        self.rejected.append(host.host)
        if self._thief is not None:
            assert self._harness.claim(host, self._thief)
        return False

    def claims_of(self, instance_uuids: Iterable[str]) -> Mapping[str, Sequence[Allocation]]:
        return self._harness.claims_of(instance_uuids)

    def group_rule(self, spec: RequestSpec) -> GroupRule | None:
        return self._harness.group_rule(spec)


def fits(node: ComputeNode, spec: RequestSpec) -> bool:
    """Whether a node still has room for a spec."""
    return _within(
        node.replace(
            vcpus_used=node.vcpus_used + spec.vcpus,
            memory_mb_used=node.memory_mb_used + spec.memory_mb,
            local_gb_used=node.local_gb_used + spec.disk_gb,
        )
    )


def _within(node: ComputeNode) -> bool:
    return (
        node.vcpus_used <= (node.vcpus - node.reserved_host_cpus) * node.cpu_allocation_ratio
        and node.memory_mb_used <= (node.memory_mb - node.reserved_host_memory_mb) * node.ram_allocation_ratio
        and node.local_gb_used <= (node.local_gb - node.reserved_host_disk_mb / 1024) * node.disk_allocation_ratio
    )
