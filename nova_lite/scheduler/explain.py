"""Explain: from a Choice to a Diagnosis that says why, bounded in size however many hosts there are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from nova_lite.objects import Diagnosis, RequestSpec, Verdict
from nova_lite.scheduler.base import Filter, ResourceFilter
from nova_lite.scheduler.host_state import HostState
from nova_lite.scheduler.selection import Choice, Stage, run_filters

MAX_ROWS = 50
# A success keeps fewer: it travels and is stored with every boot.
MAX_ROWS_ON_SUCCESS = 10
MAX_WEIGHTS = 10


def diagnosis(
    choice: Choice,
    spec: RequestSpec,
    filters: Sequence[Filter],
    hosts: Sequence[HostState],
    chosen: HostState | None = None,
    note: str | None = None,
) -> Diagnosis:
    """What became of ``hosts``: all refusals counted, at most MAX_ROWS told, the nearest miss when none was chosen."""
    return Diagnosis(
        considered=choice.considered,
        refusals=tuple(_rows(choice.stages, spec, MAX_ROWS_ON_SUCCESS if chosen else MAX_ROWS)),
        weights={host.host: round(weight, 6) for host, weight in choice.best[:MAX_WEIGHTS]},
        chosen=chosen.host if chosen else None,
        counts={stage.filter.name: stage.refused for stage in choice.stages if stage.refused},
        nearest=None if choice.best or chosen else nearest_miss(hosts, spec, filters),
        note=note,
    )


def nearest_miss(hosts: Sequence[HostState], spec: RequestSpec, filters: Sequence[Filter]) -> str | None:
    """The host that only lacks resources and lacks least: "host7 short of 512 MB"; None where none is such."""
    stages = run_filters(hosts, spec, [each for each in filters if not isinstance(each, ResourceFilter)])
    eligible = stages[-1].after if stages else hosts
    resources = [each for each in filters if isinstance(each, ResourceFilter) and each.applies(spec)]
    if not eligible or not resources:
        return None
    worst = [0.0] * len(eligible)
    for each in resources:
        # Compared as shares of what is needed: megabytes and vCPUs have no common unit.
        need = max(1, each.need(spec))
        worst = [max(lack, (need - each.available(host)) / need) for lack, host in zip(worst, eligible, strict=True)]
    nearest = eligible[worst.index(min(worst))]
    lacks = [(each.need(spec) - each.available(nearest), each.unit) for each in resources]
    parts = [f"{lack:g} {unit}" for lack, unit in lacks if lack > 0]
    return f"{nearest.host} short of {' and '.join(parts)}" if parts else None


def _rows(stages: Sequence[Stage], spec: RequestSpec, limit: int) -> Iterator[Verdict]:
    """A fair sample: each filter that refused anything has its share, and leaves to the next what it does not use."""
    refusing = [stage for stage in stages if stage.refused]
    left = limit
    for position, stage in enumerate(refusing):
        # The filters with few refusals must not lose their rows to one that refused thousands.
        later = refusing[position + 1 :]
        share = max(left // (len(later) + 1), left - sum(other.refused for other in later))
        for host in _refused_hosts(stage, share):
            left -= 1
            reason = stage.filter.passes(host, spec) or "refused"
            yield Verdict(host=host.host, node=host.node, filter=stage.filter.name, reason=reason)


def _refused_hosts(stage: Stage, limit: int) -> Iterator[HostState]:
    """The first ``limit`` hosts that a stage dropped: ``after`` is ``before`` with holes, so one walk finds them."""
    kept = iter(stage.after)
    expected = next(kept, None)
    for host in stage.before:
        if limit <= 0:
            return
        if host is expected:
            expected = next(kept, None)
        else:
            limit -= 1
            yield host
