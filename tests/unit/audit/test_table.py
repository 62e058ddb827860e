"""Every rule is broken in a small world, and nothing else is found there."""

from __future__ import annotations

from dataclasses import replace

import pytest

from nova_lite.audit.finding import INVARIANTS, Repair
from nova_lite.audit.repair import REPAIRS
from nova_lite.audit.table import RULES, findings
from nova_lite.audit.world import World
from tests.unit.audit import worlds
from tests.unit.audit.breakages import ALSO, BREAKAGES, FINE


@pytest.mark.parametrize("name", FINE)
def test_nothing_is_found_where_nothing_is_wrong(name: str) -> None:
    assert [str(finding) for finding in findings(FINE[name])] == []


@pytest.mark.parametrize(("rule", "ident", "world", "repair"), BREAKAGES, ids=[row[0] for row in BREAKAGES])
def test_exactly_what_is_broken_is_found(rule: str, ident: str, world: World, repair: Repair | None) -> None:
    found = findings(world)
    names = [finding.rule.name for finding in found]
    assert names == [rule, *ALSO.get(rule, [])], [str(finding) for finding in found]
    assert found[0].subject[1] == ident
    assert found[0].repair == repair
    assert found[0].advice


def test_every_rule_is_broken_once() -> None:
    assert {row[0] for row in BREAKAGES} == {rule.name for rule in RULES}
    assert len({rule.name for rule in RULES}) == len(RULES)


def test_every_rule_is_of_an_invariant_and_says_what_to_do() -> None:
    repaired = {row[0] for row in BREAKAGES if row[3] is not None}
    for rule in RULES:
        assert rule.invariant in INVARIANTS, rule
        assert rule.advice or rule.name in repaired, f"{rule.name}: and now?"


def test_every_repair_is_somebodys() -> None:
    assert REPAIRS.keys() == set(Repair) == {row[3] for row in BREAKAGES} - {None}


def test_strictness_excuses_nothing() -> None:
    at_work = worlds.whole(operations=(worlds.operation(1), worlds.at_work(3)), images=None, strict=True, promises=())
    assert [str(finding) for finding in findings(at_work)] == [f"I2: operation 3 (stop of {worlds.WEB}) is running"]
    awaited = replace(worlds.whole(strict=True), promises=())
    foreign = replace(awaited, holds=(*awaited.holds, worlds.hold(id="h", server=worlds.STRANGER, volume_id="v")))  # type: ignore[misc]
    assert [finding.rule.name for finding in findings(foreign)] == ["hold-has-server"]


def test_only_what_is_bound_may_wait_for_a_host_that_is_not_heard() -> None:
    def found(action: str, host: str) -> list[str]:
        waits = worlds.at_work(3, action, host=host)
        world = worlds.whole(operations=(worlds.operation(1), waits), images=None, strict=True, promises=())
        return [finding.rule.invariant for finding in findings(world) if "operation 3" in str(finding)]

    heard = next(iter(worlds.whole().hosts))
    assert found("settle", "dead") == []
    assert found("settle", heard) == ["I2"] and found("stop", "dead") == ["I2"]
