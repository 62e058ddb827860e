"""Planning: choose, claim, and when a claim is lost look again. Pure but for its two doors, State and Planner.

A snapshot may be a moment old, for a decision costs less than reading every host. It never decides alone: the claim is
checked where it is written, and "no host" is said only of a snapshot younger than the question.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Protocol

from nova_lite.clock import monotonic
from nova_lite.objects import Allocation, Diagnosis, Placement, RequestSpec, Selection
from nova_lite.scheduler import hints
from nova_lite.scheduler.explain import diagnosis
from nova_lite.scheduler.filters.different_host import HINT as DIFFERENT_HOST
from nova_lite.scheduler.filters.same_host import HINT as SAME_HOST
from nova_lite.scheduler.host_state import HostState
from nova_lite.scheduler.selection import Choice, Pipeline, select
from nova_lite.scheduler.snapshot import Snapshot

# Hosts tried on one snapshot before it is taken anew: each lost claim says that it is old.
CLAIMS_PER_ROUND = 8


class State(Protocol):
    """What is known of the hosts."""

    def snapshot(self, not_before: float) -> Snapshot:
        """The hosts, read at ``not_before`` (monotonic seconds) or later."""


class Planner(Protocol):
    """Who takes the result, and may refuse it."""

    def claim(self, host: HostState, spec: RequestSpec) -> bool:
        """Claim a node for a server; False when there is no longer room."""

    def claims_of(self, instance_uuids: Iterable[str]) -> Mapping[str, Sequence[Allocation]]:
        """What each of these servers holds; those that hold nothing may be left out."""


class Planning:
    """Places servers. ``rounds`` bounds the snapshots taken for one server, ``max_age_s`` the age of the first."""

    def __init__(
        self,
        state: State,
        planner: Planner,
        pipeline: Pipeline,
        rounds: int = 5,
        max_age_s: float = 1.0,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._state = state
        self._planner = planner
        self._pipeline = pipeline
        self._rounds = rounds
        self._max_age_s = max_age_s
        self._clock = clock

    def place(self, spec: RequestSpec, alternates: int) -> Placement:
        """A claimed node and up to ``alternates`` unclaimed ones on other hosts; no selections when none is valid.

        A server that holds a claim already gets that same node again: it asked before and the answer was lost.
        """
        standing = self._standing(spec)
        if standing is not None:
            return standing
        started, lost = self._clock(), 0
        not_before = started - self._max_age_s
        for attempt in range(self._rounds):
            snapshot = self._state.snapshot(not_before)
            hosts = self._hosts(snapshot, spec)
            seed = f"{spec.instance_uuid}/{attempt}"
            choice = select(hosts, spec, self._pipeline, CLAIMS_PER_ROUND + alternates, seed)
            for position, (host, _) in enumerate(choice.best[:CLAIMS_PER_ROUND]):
                if self._planner.claim(host, spec):
                    snapshot.consume(host.node_uuid, spec)
                    others = _alternates(host, choice.hosts[position + 1 :], alternates)
                    found = diagnosis(choice, spec, self._pipeline.filters, hosts, host, _race(lost))
                    return Placement(spec.instance_uuid, (_selection(host, True), *others), found)
                lost += 1
            if not choice.best and snapshot.taken_at >= started:
                break
            not_before = self._clock()
        return self._refusal(spec, choice, hosts, lost)

    def _refusal(self, spec: RequestSpec, choice: Choice, hosts: Sequence[HostState], lost: int) -> Placement:
        found = diagnosis(choice, spec, self._pipeline.filters, hosts, note=_race(lost))
        return Placement(spec.instance_uuid, (), found)

    def _hosts(self, snapshot: Snapshot, spec: RequestSpec) -> list[HostState]:
        """A copy of the hosts that nobody changes under us, knowing the servers that the hints name."""
        named = {*hints.servers(spec, SAME_HOST), *hints.servers(spec, DIFFERENT_HOST)}
        if not named:
            return list(snapshot.hosts)
        claims = self._planner.claims_of(sorted(named))
        return snapshot.with_instances({uuid: [each.node_uuid for each in held] for uuid, held in claims.items()})

    def _standing(self, spec: RequestSpec) -> Placement | None:
        """The placement of a claim that this very request wrote before; None where there is none."""
        held = self._planner.claims_of([spec.instance_uuid]).get(spec.instance_uuid, ())
        same_size = [each for each in held if _size(each) == (spec.vcpus, spec.memory_mb, spec.disk_gb)]
        if not same_size:
            return None
        snapshot = self._state.snapshot(self._clock() - self._max_age_s)
        for claim in same_size:
            host = snapshot.get(claim.node_uuid)
            if host is not None and host.host not in spec.ignore_hosts:
                note = "an earlier claim of this server stands"
                found = Diagnosis(considered=len(snapshot.hosts), chosen=host.host, note=note)
                return Placement(spec.instance_uuid, (_selection(host, True),), found)
        return None


def _size(claim: Allocation) -> tuple[int, int, int]:
    return claim.vcpus, claim.memory_mb, claim.disk_gb


def _selection(host: HostState, claimed: bool) -> Selection:
    return Selection(host.host, host.node, host.node_uuid, host.availability_zone, claimed)


def _alternates(chosen: HostState, others: Sequence[HostState], count: int) -> list[Selection]:
    """The next best, one a host: another node of a host that failed would fail as well."""
    found: dict[str, Selection] = {}
    for host in others:
        if host.host != chosen.host and host.host not in found and len(found) < count:
            found[host.host] = _selection(host, False)
    return list(found.values())


def _race(lost: int) -> str | None:
    return f"claim race: {lost} claim(s) lost to other requests" if lost else None
