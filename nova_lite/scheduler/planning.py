"""Planning: choose, claim, and when a claim is lost look again. Pure but for its two doors, State and Planner.

A snapshot may be a moment old, for a decision costs less than reading every host. It never decides alone: the claim is
checked where it is written, and "no host" is said only of a snapshot younger than the question.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from nova_lite.clock import monotonic
from nova_lite.objects import Allocation, Diagnosis, GroupRule, Placement, RequestSpec, Selection
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

    def recent(self) -> Snapshot:
        """The hosts as they were a moment ago."""

    def since(self, moment: float) -> Snapshot:
        """The hosts, read at that moment (monotonic seconds) or later."""


class Planner(Protocol):
    """Who takes the result, and may refuse it."""

    def claim(self, host: HostState, spec: RequestSpec, beside: Collection[str]) -> bool:
        """Claim a node for a server.

        False when there is no room, when the server holds claims on nodes other than ``beside``, and when its group
        does not want one more member there by now.
        """

    def claims_of(self, instance_uuids: Iterable[str]) -> Mapping[str, Sequence[Allocation]]:
        """What each of these servers holds; those that hold nothing may be left out."""

    def group_rule(self, spec: RequestSpec) -> GroupRule | None:
        """What the server's group asks, by where its members are at this moment."""


class Planning:
    """Places servers; ``rounds`` bounds the snapshots taken for one of them."""

    def __init__(
        self,
        state: State,
        planner: Planner,
        pipeline: Pipeline,
        rounds: int = 5,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._state = state
        self._planner = planner
        self._pipeline = pipeline
        self._rounds = rounds
        self._clock = clock

    def place(self, spec: RequestSpec, alternates: int) -> Placement:
        """A claimed node and up to ``alternates`` unclaimed ones on other hosts; no selections when none is valid.

        A server that holds a claim already gets that same node again: it asked before and the answer was lost.
        """
        held = self._held(spec)
        standing = self._standing(spec, held)
        started, lost, attempt, found = self._clock(), 0, 0, None
        while standing is None and attempt < self._rounds:
            attempt += 1
            snapshot = self._state.since(self._clock()) if found else self._state.recent()
            found = self._look(snapshot, spec, alternates, attempt)
            for position, host in enumerate(found.choice.hosts[:CLAIMS_PER_ROUND]):
                if self._planner.claim(host, spec, [each.node_uuid for each in held]):
                    snapshot.consume(host.node_uuid, spec)
                    return self._success(found, position, alternates, lost)
                lost += 1
                held = self._held(spec)
                standing = self._standing(spec, held)
                if standing is not None:
                    break
            if not found.choice.best and snapshot.taken_at >= started:
                break
        return standing or self._refusal(found, lost)

    def _look(self, snapshot: Snapshot, spec: RequestSpec, alternates: int, attempt: int) -> _Look:
        """Choose among the hosts of a snapshot; each attempt draws anew where the pipeline draws."""
        if spec.group is not None:
            # Members are placed while we look: an old picture of the group would lose every claim.
            spec = spec.replace(group=self._planner.group_rule(spec))
        hosts = self._hosts(snapshot, spec)
        seed = f"{spec.instance_uuid}/{attempt}"
        return _Look(spec, hosts, select(hosts, spec, self._pipeline, CLAIMS_PER_ROUND + alternates, seed))

    def _success(self, found: _Look, position: int, alternates: int, lost: int) -> Placement:
        host = found.choice.hosts[position]
        others = _alternates(host, found.choice.hosts[position + 1 :], alternates)
        why = self._diagnosis(found, host, lost)
        return Placement(found.spec.instance_uuid, (_selection(host, True), *others), why)

    def _refusal(self, found: _Look | None, lost: int) -> Placement:
        assert found is not None  # at least one round is always made
        return Placement(found.spec.instance_uuid, (), self._diagnosis(found, None, lost))

    def _diagnosis(self, found: _Look, chosen: HostState | None, lost: int) -> Diagnosis:
        note = f"claim race: {lost} claim(s) lost to other requests" if lost else None
        return diagnosis(found.choice, found.spec, self._pipeline.filters, found.hosts, chosen, note)

    def _hosts(self, snapshot: Snapshot, spec: RequestSpec) -> list[HostState]:
        """A copy of the hosts that nobody changes under us, knowing the servers that the hints name."""
        named = {*hints.servers(spec, SAME_HOST), *hints.servers(spec, DIFFERENT_HOST)}
        if not named:
            return list(snapshot.hosts)
        claims = self._planner.claims_of(sorted(named))
        return snapshot.with_instances({uuid: [each.node_uuid for each in held] for uuid, held in claims.items()})

    def _held(self, spec: RequestSpec) -> Sequence[Allocation]:
        return self._planner.claims_of([spec.instance_uuid]).get(spec.instance_uuid, ())

    def _standing(self, spec: RequestSpec, held: Sequence[Allocation]) -> Placement | None:
        """The placement of a claim that this very request wrote before; None where there is none."""
        for claim in held:
            if _size(claim) == (spec.vcpus, spec.memory_mb, spec.disk_gb):
                host = self._host_of(claim)
                if host is not None and host.host not in spec.ignore_hosts:
                    why = Diagnosis(considered=1, chosen=host.host, note="an earlier claim of this server stands")
                    return Placement(spec.instance_uuid, (_selection(host, True),), why)
        return None

    def _host_of(self, claim: Allocation) -> HostState | None:
        known = self._state.recent().get(claim.node_uuid)
        return known or self._state.since(self._clock()).get(claim.node_uuid)


@dataclass(frozen=True)
class _Look:
    """One choice, with all it was made from."""

    spec: RequestSpec
    hosts: Sequence[HostState]
    choice: Choice


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
