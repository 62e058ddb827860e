"""SchedulerManager: from configuration to a pipeline, from specs to placements."""

from __future__ import annotations

from typing import Any

import pytest
from oslo_config import cfg

from nova_lite import exception
from nova_lite.conf import availability_zone, default, filter_scheduler, operations, scheduler
from nova_lite.context import admin_context
from nova_lite.objects import Placement, base
from nova_lite.scheduler import filters
from nova_lite.scheduler.manager import SchedulerManager
from tests.harness.builders import make_node, make_spec
from tests.harness.scheduler import SchedulerHarness


def _conf(**values: Any) -> cfg.ConfigOpts:
    conf = cfg.ConfigOpts()
    for module in (availability_zone, default, filter_scheduler, operations, scheduler):
        module.register(conf)
    conf([])
    for name, value in values.items():
        conf.set_override(name, value, group="filter_scheduler")
    return conf


def _manager(harness: SchedulerHarness, **values: Any) -> SchedulerManager:
    harness.time_s = 0.0
    return SchedulerManager("here", _conf(**values), state=harness, planner=harness)


def _ask(manager: SchedulerManager) -> Placement:
    (placement,) = manager.select_destinations(admin_context(), [make_spec()], 0)
    return placement


def test_a_placement_for_each_spec_in_their_order() -> None:
    harness = SchedulerHarness([make_node("a", memory_mb=1024), make_node("b", memory_mb=1024)])
    specs = [make_spec("1", memory_mb=1024), make_spec("huge", memory_mb=9999), make_spec("2", memory_mb=1024)]
    placements = _manager(harness).select_destinations(admin_context(), specs, 1)
    assert [each.instance_uuid for each in placements] == [spec.instance_uuid for spec in specs]
    assert [[chosen.host for chosen in each.selections] for each in placements] == [["a", "b"], [], ["b"]]


def test_a_placement_travels() -> None:
    harness = SchedulerHarness([make_node("a"), make_node("b", memory_mb=64)])
    (placement,) = _manager(harness).select_destinations(admin_context(), [make_spec()], 1)
    assert Placement.from_primitive(placement.to_primitive()) == placement
    assert base.is_primitive(placement.to_primitive())


def test_options_reach_the_decision() -> None:
    nodes = [make_node("empty"), make_node("half", memory_mb_used=16000)]
    spread = _manager(SchedulerHarness(nodes))
    stack = _manager(SchedulerHarness(nodes), ram_weight_multiplier=-1.0)
    assert _ask(spread).selections[0].host == "empty"
    assert _ask(stack).selections[0].host == "half"


def test_a_filter_that_is_not_enabled_does_not_refuse() -> None:
    harness = SchedulerHarness([make_node("a")], services=[])
    assert _ask(_manager(harness)).diagnosis.counts == {"ComputeFilter": 1}
    assert _ask(_manager(harness, enabled_filters=["RamFilter"])).selections[0].host == "a"


def test_all_filters_but_the_sites_own_are_enabled_by_default() -> None:
    """As in Nova: metadata of aggregates means something only where an operator says so."""
    own = {"AggregateMultiTenancyIsolation", "AggregateInstanceExtraSpecsFilter"}
    assert set(_conf().filter_scheduler.enabled_filters) | own == {each.name for each in filters.OPTIONAL}
    assert own.isdisjoint(_conf().filter_scheduler.enabled_filters)


def test_a_misspelt_filter_stops_the_start() -> None:
    with pytest.raises(exception.ConfigInvalid, match="enabled_filters"):
        _manager(SchedulerHarness([]), enabled_filters=["NoFilter"])


def test_the_scheduler_needs_nothing_but_configuration() -> None:
    """Without State and Planner it uses the database's; nothing is read until somebody asks."""
    assert SchedulerManager("here", _conf()).endpoints()
