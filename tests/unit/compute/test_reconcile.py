"""What a host finds: asked about first, judged again under the lock, and left alone where nothing is proved."""

from __future__ import annotations

from typing import Any

import pytest

from nova_lite.compute import reconcile
from nova_lite.compute.custody import DeletedAction, Place, Power, Verdict
from nova_lite.objects import Instance, Presence
from tests.harness.database import make_instance
from tests.harness.lone_host import CTXT, NAME, LoneHost

SERVER = make_instance(host="there", generation=4)


class Judge:
    """The conductor's verdict on the server, each time it is asked; the last for ever."""

    def __init__(self, lone: LoneHost, *verdicts: Verdict, place: Place = Place.ELSEWHERE) -> None:
        self._lone, self._verdicts, self._place = lone, [*verdicts], place
        self.locked: list[bool] = []
        self.rescued: list[bool | None] = []
        lone.conductor.judge_guests = self

    def __call__(self, ctxt: Any, host: str, found: list[Presence]) -> dict[str, Any]:
        assert host == NAME
        self.locked.append(bool(self._lone.host.locks._locks))
        self.rescued += [each.rescued for each in found]
        verdict = self._verdicts.pop(0) if len(self._verdicts) > 1 else self._verdicts[0]
        ruling = {"verdict": verdict, "place": self._place, "power": Power.RUNNING, "why": "it is so"}
        return {"rulings": {each.uuid: ruling for each in found}, "servers": [SERVER], "evacuated": [SERVER.uuid]}


@pytest.fixture
def lone() -> LoneHost:
    """A host with the guest of a former generation."""
    lone = LoneHost()
    here = SERVER.replace(generation=3)
    lone.driver.create_disks(CTXT, here)
    lone.driver.spawn(here, ())
    return lone


def _told(lone: LoneHost, verb: str) -> list[Any]:
    return [each for each in lone.conductor.told if each[0] == verb]


def test_what_is_proved_stale_goes_and_its_interfaces_are_the_other_hosts(lone: LoneHost) -> None:
    judge = Judge(lone, Verdict.DESTROY)
    reconcile.clean(lone.host, CTXT)
    assert lone.is_empty() and lone.network.moved == ["there"]
    assert judge.locked == [False, True], "judged again under its lock"
    assert _told(lone, "report_cleaned") == [("report_cleaned", NAME, [SERVER.uuid])]


def test_what_came_back_meanwhile_stays(lone: LoneHost) -> None:
    Judge(lone, Verdict.DESTROY, Verdict.LEAVE)
    reconcile.clean(lone.host, CTXT)
    assert [*lone.driver.guests] == [*lone.driver.disks] == [SERVER.uuid]


@pytest.mark.parametrize("verdict", [Verdict.LEAVE, Verdict.NOTE])
def test_what_is_not_proved_is_left_alone(lone: LoneHost, verdict: Verdict) -> None:
    Judge(lone, verdict)
    before = dict(lone.driver.guests)
    reconcile.clean(lone.host, CTXT)
    assert (lone.driver.guests, [*lone.driver.disks]) == (before, [SERVER.uuid])
    changes = {call for call, _ in lone.driver.plan.calls} - {"create_disks", "spawn"}
    assert not changes.intersection({"destroy", "delete_disks", "power_off"})


def test_what_could_not_be_removed_is_not_said_to_be_clean(
    lone: LoneHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(instance: Instance) -> None:
        raise RuntimeError

    Judge(lone, Verdict.DESTROY)
    monkeypatch.setattr(lone.driver, "destroy", broken)
    reconcile.clean(lone.host, CTXT)
    assert _told(lone, "report_cleaned") == []


@pytest.mark.parametrize(("action", "stays"), [(DeletedAction.REAP, False), (DeletedAction.NOOP, True)])
def test_the_operator_may_keep_what_is_deleted(lone: LoneHost, action: DeletedAction, stays: bool) -> None:
    Judge(lone, Verdict.DESTROY, place=Place.DELETED)
    object.__setattr__(lone.host, "deleted_action", action)
    reconcile.clean(lone.host, CTXT)
    assert bool(lone.driver.guests) is stays


def test_only_who_has_the_lock_says_what_a_guest_boots_from(lone: LoneHost) -> None:
    judge = Judge(lone, Verdict.STOP, Verdict.LEAVE)
    reconcile.clean(lone.host, CTXT)
    assert [*zip(judge.locked, judge.rescued, strict=True)] == [(False, None), (True, False)]


@pytest.mark.parametrize(("vm_state", "is_news"), [("rescued", True), ("active", False), ("error", False)])
def test_a_row_that_says_another_disk_is_news(lone: LoneHost, vm_state: str, is_news: bool) -> None:
    """The power is as the row says."""
    judge = Judge(lone, Verdict.LEAVE)
    power = lone.driver.guests[SERVER.uuid].power_state
    lone.conductor.answers["host_instances"] = [SERVER.replace(vm_state=vm_state, power_state=int(power))]
    reconcile.report_all(lone.host, CTXT)
    assert judge.rescued == ([False] if is_news else [])
