"""Selection: hosts and a spec in, the best hosts in order out. Pure; the same input always gives the same answer.

The work is a chain of list comprehensions over plain fields, so that ten thousand hosts take milliseconds.
"""

from __future__ import annotations

import heapq
import random
from collections.abc import Sequence
from dataclasses import dataclass

from nova_lite.objects import RequestSpec
from nova_lite.scheduler.base import Filter, Weigher
from nova_lite.scheduler.host_state import HostState
from nova_lite.scheduler.weighers import weigh


@dataclass(frozen=True)
class Pipeline:
    """How this scheduler decides: filters in their order, weighers, and how ties and near-ties are broken.

    With ``host_subset_size`` above 1 the first place is drawn from that many best hosts; with ``shuffle_best`` from all
    that share the highest weight. Both spread requests of several schedulers over hosts that are as good.
    """

    filters: tuple[Filter, ...]
    weighers: tuple[Weigher, ...]
    host_subset_size: int = 1
    shuffle_best: bool = False


@dataclass(frozen=True)
class Stage:
    """One filter's turn: the hosts before and after it, in the same order."""

    filter: Filter
    before: Sequence[HostState]
    after: Sequence[HostState]

    @property
    def refused(self) -> int:
        return len(self.before) - len(self.after)


@dataclass(frozen=True)
class Choice:
    """What became of a spec: every stage, and the best hosts with their weights, best first."""

    considered: int
    stages: tuple[Stage, ...]
    best: tuple[tuple[HostState, float], ...]

    @property
    def hosts(self) -> tuple[HostState, ...]:
        return tuple(host for host, _ in self.best)


def select(hosts: Sequence[HostState], spec: RequestSpec, pipeline: Pipeline, count: int, seed: str = "") -> Choice:
    """The ``count`` best hosts for a spec. Ties go by position unless the pipeline draws; then ``seed`` decides."""
    stages = run_filters(hosts, spec, pipeline.filters)
    left = stages[-1].after if stages else hosts
    weights = weigh(left, pipeline.weighers, spec)
    order = _order(weights, max(count, pipeline.host_subset_size))
    order = _draw(order, weights, pipeline, seed or spec.instance_uuid)[:count]
    return Choice(len(hosts), tuple(stages), tuple((left[index], weights[index]) for index in order))


def run_filters(hosts: Sequence[HostState], spec: RequestSpec, filters: Sequence[Filter]) -> list[Stage]:
    """Every filter that applies to the spec, one after the other, until no host is left."""
    stages: list[Stage] = []
    left = hosts
    for each in filters:
        if not left:
            break
        if each.applies(spec):
            kept = each.keep(left, spec)
            stages.append(Stage(each, left, kept))
            left = kept
    return stages


def _order(weights: Sequence[float], count: int) -> list[int]:
    """Positions of the ``count`` highest weights, highest first; equal ones in their order."""
    return heapq.nlargest(count, range(len(weights)), key=weights.__getitem__)


def _draw(order: list[int], weights: Sequence[float], pipeline: Pipeline, seed: str) -> list[int]:
    """Put the drawn position first; the others keep their order behind it."""
    if not order:
        return order
    pool = order[: pipeline.host_subset_size]
    if pipeline.shuffle_best:
        best = weights[order[0]]
        alike = [index for index, weight in enumerate(weights) if weight == best]
        pool = alike if len(alike) > len(pool) else pool
    if len(pool) < 2:
        return order
    first = random.Random(seed).choice(pool)
    return [first, *(index for index in order if index != first)]
