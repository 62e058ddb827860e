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

    def __init__(
        self, lone: LoneHost, *verdicts: Verdict, place: Place = Place.ELSEWHERE, rows: tuple[Instance, ...] = (SERVER,)
    ) -> None:
        self._lone, self._verdicts, self._place, self._rows = lone, [*verdicts], place, [*rows]
        self.locked: list[bool] = []
        self.rescued: list[bool | None] = []
        lone.conductor.judge_guests = self

    def __call__(self, ctxt: Any, host: str, found: list[Presence]) -> dict[str, Any]:
        assert host == NAME
        self.locked.append(bool(self._lone.host.locks._locks))
        self.rescued += [each.rescued for each in found]
        verdict = self._verdicts.pop(0) if len(self._verdicts) > 1 else self._verdicts[0]
        row = self._rows.pop(0) if len(self._rows) > 1 else self._rows[0]
        ruling = {"verdict": verdict, "place": self._place, "power": Power.RUNNING, "why": "it is so"}
        return {"rulings": {each.uuid: ruling for each in found}, "servers": [row], "evacuated": [SERVER.uuid]}


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
    assert lone.is_empty() and lone.network.moved == [f"there, of {NAME}", "there, of nobody"]
    assert judge.locked == [False, True, True, True], "judged again under its lock, and before its ports are moved"
    assert _told(lone, "report_cleaned") == [("report_cleaned", NAME, [SERVER.uuid])]


@pytest.mark.parametrize(
    ("now", "moved"),
    [
        ({"host": None}, []), ({"host": "a third"}, []), ({"task_state": "shelving_offloading"}, []),
        ({"task_state": "rebooting"}, [f"there, of {NAME}", "there, of nobody"]),
    ],
)  # fmt: skip
def test_who_has_gone_on_while_what_was_stale_was_removed_has_its_interfaces(
    lone: LoneHost, now: dict[str, Any], moved: list[str]
) -> None:
    """A shelved server's port was bound to the host that it had been on, for good."""
    lone.network.ports = {"taken late": SERVER.uuid}
    Judge(lone, Verdict.DESTROY, rows=(SERVER, SERVER, SERVER.replace(**now)))
    reconcile.clean(lone.host, CTXT)
    assert not lone.driver.disks and lone.network.moved == moved
    assert bool(lone.network.ports) == bool(moved), "else nothing is bound here"


def test_of_a_server_that_is_on_no_host_nothing_stays_bound_here(lone: LoneHost) -> None:
    lone.network.ports = {"p": SERVER.uuid}
    Judge(lone, Verdict.DESTROY, rows=(SERVER.replace(host=None),))
    reconcile.clean(lone.host, CTXT)
    assert lone.is_empty() and lone.network.moved == []


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


@pytest.mark.parametrize(("vm_state", "is_news"), [("active", True), ("paused", True), ("stopped", False)])
def test_a_server_that_is_not_what_its_guest_is_is_told_of(lone: LoneHost, vm_state: str, is_news: bool) -> None:
    """A snapshot of a guest that had not come back wrote its power state into the row, and nobody looked again."""
    Judge(lone, Verdict.LEAVE)
    lone.driver.power_off(SERVER.replace(generation=3), 0)
    lone.conductor.answers["host_instances"] = [SERVER.replace(vm_state=vm_state, power_state=4)]
    lone.conductor.answers["report_power_state"] = False
    reconcile.report_all(lone.host, CTXT)
    assert bool(_told(lone, "report_power_state")) is is_news
