#!/usr/bin/env python3
"""Scheduler decisions a second on simulated hosts: filters, weighers, choice; in memory, and with claims in SQLite.

    benchmarks/scheduler_rate.py --hosts 100 1000 10000
"""

from __future__ import annotations

import argparse
import itertools
import random
import statistics
import sys
import tempfile
import time
import uuid
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench import floors, report
from bench.report import Figure

from nova_lite import liveness
from nova_lite.clock import monotonic, utcnow
from nova_lite.db import session
from nova_lite.db.api import compute_nodes, services
from nova_lite.db.models import Base
from nova_lite.objects import Allocation, ComputeNode, Flavor, ImageMeta, RequestSpec, Service
from nova_lite.scheduler import filters, weighers
from nova_lite.scheduler.database import DatabasePlanner, DatabaseState
from nova_lite.scheduler.host_state import HostState
from nova_lite.scheduler.planning import Planning
from nova_lite.scheduler.selection import Pipeline
from nova_lite.scheduler.snapshot import Snapshot, build

FLAVOR = Flavor(flavorid="1", name="m1.tiny", vcpus=1, memory_mb=512, root_gb=1)
IMAGE = ImageMeta(id="image", properties={"hw_architecture": "x86_64", "hw_vm_mode": "hvm"})
ALTERNATES = 2
MEMORY_MB = 1 << 24


def fleet(number: int) -> list[ComputeNode]:
    """Hosts of one kind, filled unevenly, one in ten full; large, so that tiny servers do not fill them meanwhile."""
    chance = random.Random(number)
    return [_node(f"host{index:05}", chance) for index in range(number)]


def _node(host: str, chance: random.Random) -> ComputeNode:
    return ComputeNode(
        uuid=str(uuid.UUID(int=chance.getrandbits(128))),
        host=host,
        hypervisor_hostname=host,
        hypervisor_type="QEMU",
        hypervisor_version=7_002_000,
        vcpus=4096,
        memory_mb=MEMORY_MB,
        local_gb=100_000,
        vcpus_used=chance.randrange(8000),
        memory_mb_used=chance.choice([MEMORY_MB, *(chance.randrange(MEMORY_MB // 2) for _ in range(9))]),
        local_gb_used=chance.randrange(50_000),
        supported_instances=(("x86_64", "kvm", "hvm"), ("x86_64", "qemu", "hvm"), ("i686", "qemu", "hvm")),
    )


def specs() -> Iterable[RequestSpec]:
    """Ordinary servers: a flavor, an image that minds where it runs, a zone."""
    for number in itertools.count():
        yield RequestSpec(
            instance_uuid=str(uuid.UUID(int=number + 1)),
            project_id="project",
            user_id="user",
            flavor=FLAVOR,
            image=IMAGE,
            disk_gb=FLAVOR.disk_gb,
            availability_zone="nova",
        )


def default_pipeline() -> Pipeline:
    """All filters and weighers, as the daemon's defaults have them."""
    multipliers = {each.option: 1_000_000.0 if "failure" in each.option else 1.0 for each in weighers.REGISTRY}
    return Pipeline(filters.load(filters.REGISTRY), weighers.load(multipliers))


class Memory:
    """State and Planner without a database: every claim is granted, the snapshot is taken once."""

    def __init__(self, nodes: Sequence[ComputeNode]) -> None:
        computes = [
            Service(uuid=node.uuid, host=node.host, binary=liveness.COMPUTE, topic="compute", last_seen_at=utcnow())
            for node in nodes
        ]
        self._snapshot = build(nodes, computes, {}, "nova", utcnow(), 60.0, monotonic())

    def recent(self) -> Snapshot:
        return self._snapshot

    def since(self, moment: float) -> Snapshot:
        return self._snapshot

    def claim(self, host: HostState, spec: RequestSpec, beside: Collection[str]) -> bool:
        return True

    def claims_of(self, instance_uuids: Iterable[str]) -> Mapping[str, Sequence[Allocation]]:
        return {}


@dataclass(frozen=True)
class Decisions:
    """Seconds of each decision by the clock, and of processor time for all."""

    times: list[float]
    cpu_s: float


def decide(planning: Planning, seconds: float) -> Decisions:
    """Decide for so long. :raises RuntimeError: no host was valid, so nothing was measured."""
    times: list[float] = []
    cpu_before = time.process_time()
    end = time.perf_counter() + seconds
    for spec in specs():
        begin = time.perf_counter()
        if begin > end:
            break
        if not planning.place(spec, ALTERNATES).selections:
            raise RuntimeError(f"no valid host after {len(times)} decisions: the simulated hosts are full")
        times.append(time.perf_counter() - begin)
    return Decisions(times, time.process_time() - cpu_before)


def measure(sizes: Sequence[int], seconds: float) -> list[Figure]:
    """Decisions a second at each size, in memory and claimed in SQLite; the floor of a claim is a bare commit."""
    commit_ms = floors.sqlite_commit().value
    figures: list[Figure] = []
    for size in sizes:
        nodes = fleet(size)
        report.progress(f"scheduler, {size} hosts for {seconds:g} s in memory and {seconds:g} s with claims")
        memory = Memory(nodes)
        figures += _figures(f"at {size} hosts", decide(Planning(memory, memory, default_pipeline()), seconds), None)
        figures += _figures(f"with claims at {size} hosts", _claimed(nodes, seconds), 1000 / commit_ms)
    return figures


def _claimed(nodes: Sequence[ComputeNode], seconds: float) -> Decisions:
    with tempfile.TemporaryDirectory() as directory:
        session.configure(f"sqlite:///{directory}/scheduler.sqlite")
        Base.metadata.create_all(session.engine())
        with session.writer():
            for node in nodes:
                compute_nodes.upsert(node)
                services.register(node.host, liveness.COMPUTE, "compute", "epoch")
        try:
            return decide(Planning(DatabaseState(3600.0, "nova"), DatabasePlanner(), default_pipeline()), seconds)
        finally:
            session.dispose()


def _figures(name: str, seen: Decisions, floor: float | None) -> list[Figure]:
    times = seen.times
    cuts = statistics.quantiles(times, n=100)
    return [
        Figure(f"decisions/s {name}", len(times) / sum(times), "1/s", floor, {"decisions": len(times)}),
        Figure(f"decision p50 ms {name}", cuts[49] * 1000, "ms"),
        Figure(f"decision p99 ms {name}", cuts[98] * 1000, "ms"),
        Figure(f"decision CPU ms {name}", seen.cpu_s * 1000 / len(times), "ms"),
    ]


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--hosts", type=int, nargs="+", default=[100, 1000, 10000], help="numbers of simulated hosts")
    parser.add_argument("--seconds", type=float, default=3.0, help="seconds for each measurement (default %(default)s)")
    parser.add_argument("--json", metavar="FILE", help="write the figures there as JSON, too; - is stdout")
    options = parser.parse_args()
    report.show(measure(options.hosts, options.seconds), options.json)
    return 0


if __name__ == "__main__":
    sys.exit(report.explained(main))
