"""Faults as data."""

from __future__ import annotations

import pytest

from nova_lite import exception
from nova_lite.virt.fault_plan import HANG_S, FaultKind, FaultPlan, FaultRule


def test_a_rule_strikes_so_many_times_and_then_no_more() -> None:
    plan = FaultPlan(lambda _: None, [FaultRule("spawn", FaultKind.RAISE, times=2)])
    for _ in range(2):
        with pytest.raises(exception.NovaLiteError, match="spawn fails"):
            plan.strike("spawn", "u")
    plan.strike("spawn", "u")
    plan.strike("destroy", "u")
    assert plan.calls == [("spawn", "u")] * 3 + [("destroy", "u")]


def test_a_rule_may_mean_one_server_only() -> None:
    plan = FaultPlan(lambda _: None, [FaultRule("spawn", FaultKind.ABORT, uuid="a")])
    plan.strike("spawn", "b")
    with pytest.raises(exception.ImageUnacceptable):
        plan.strike("spawn", "a")


def test_a_plan_that_was_cleared_strikes_no_more_and_takes_new_rules() -> None:
    slept: list[float] = []
    plan = FaultPlan(slept.append, [FaultRule("spawn", FaultKind.RAISE, times=1)], {"spawn": 1.0})
    plan.clear()
    plan.strike("spawn", "u")
    plan.add(FaultRule("pause", FaultKind.RAISE, times=1))
    with pytest.raises(exception.NovaLiteError):
        plan.strike("pause", "u")
    assert slept == []


def test_options_are_read_and_nonsense_is_refused() -> None:
    slept: list[float] = []
    plan = FaultPlan.parse(slept.append, ["pause:raise:1", "spawn:hang"], {"destroy": "0.5"})
    plan.strike("destroy", None)
    plan.strike("spawn", None)
    assert slept == [0.5, HANG_S]
    for faults, delays in ((["spawn"], {}), (["spawn:explode"], {}), ([], {"spawn": "soon"})):
        with pytest.raises(exception.ConfigInvalid):
            FaultPlan.parse(slept.append, faults, delays)
