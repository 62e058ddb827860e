"""The filters, one file each. REGISTRY is the list; ``load`` picks and orders those that are enabled."""

from __future__ import annotations

from collections.abc import Iterable

from nova_lite import exception
from nova_lite.scheduler.base import Filter
from nova_lite.scheduler.filters.aggregate_extra_specs import AggregateInstanceExtraSpecsFilter
from nova_lite.scheduler.filters.aggregate_tenants import AggregateMultiTenancyIsolation
from nova_lite.scheduler.filters.availability_zone import AvailabilityZoneFilter
from nova_lite.scheduler.filters.compute import ComputeFilter
from nova_lite.scheduler.filters.cpu import CoreFilter
from nova_lite.scheduler.filters.different_host import DifferentHostFilter
from nova_lite.scheduler.filters.disk import DiskFilter
from nova_lite.scheduler.filters.force_host import ForceHostFilter
from nova_lite.scheduler.filters.image_properties import ImagePropertiesFilter
from nova_lite.scheduler.filters.ram import RamFilter
from nova_lite.scheduler.filters.retry import RetryFilter
from nova_lite.scheduler.filters.same_host import SameHostFilter
from nova_lite.scheduler.filters.server_group import ServerGroupAffinityFilter, ServerGroupAntiAffinityFilter

# What the API promised (this host, not that one again, a group's policy) is not for an operator to switch off.
ALWAYS: tuple[type[Filter], ...] = (
    ForceHostFilter,
    RetryFilter,
    ServerGroupAntiAffinityFilter,
    ServerGroupAffinityFilter,
)
OPTIONAL: tuple[type[Filter], ...] = (
    ComputeFilter,
    AvailabilityZoneFilter,
    RamFilter,
    CoreFilter,
    DiskFilter,
    ImagePropertiesFilter,
    DifferentHostFilter,
    SameHostFilter,
    AggregateMultiTenancyIsolation,
    AggregateInstanceExtraSpecsFilter,
)
REGISTRY: dict[str, type[Filter]] = {each.name: each for each in (*ALWAYS, *OPTIONAL)}


def load(names: Iterable[str]) -> tuple[Filter, ...]:
    """The named filters and those that are always on, cheapest first.

    :raises ConfigInvalid: a name that is no filter.
    """
    wanted = {each.name for each in ALWAYS}
    for name in names:
        if name not in REGISTRY:
            known = ", ".join(sorted(REGISTRY))
            raise exception.ConfigInvalid(
                detail=f"[filter_scheduler] enabled_filters: there is no filter {name!r}. Known filters: {known}."
            )
        wanted.add(name)
    return tuple(sorted((REGISTRY[name]() for name in wanted), key=lambda each: (each.cost, each.name)))
