"""The fence: what it lets through is known to be this host's, by its own monotonic clock."""

from __future__ import annotations

import abc
import inspect
from collections.abc import Callable
from typing import Any

import pytest

from nova_lite import exception
from nova_lite.compute import fence
from nova_lite.compute.fence import LOOKS, NETWORK_LOOKS, VOLUME_LOOKS, Fence
from nova_lite.network.api import API as NetworkAPI
from nova_lite.objects import Operation, OperationState
from nova_lite.virt import driver
from nova_lite.virt.fake import FakeDriver
from nova_lite.volume.api import API as VolumeAPI

LEASE_S = 20.0


class Clock:
    def __init__(self) -> None:
        self.at = 100.0


class Driver:
    """Says what was done."""

    name = "no method"

    def __init__(self) -> None:
        self.done: list[str] = []

    def spawn(self, what: str) -> str:
        self.done.append(what)
        return what

    def list_guests(self) -> str:
        return "a look"


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(fence, "monotonic", lambda: made.at)
    return made


def _fence(renew: Any = lambda: None) -> Fence:
    return Fence("h", LEASE_S, renew)


def _operation(number: int = 7, attempt: int = 1) -> Operation:
    return Operation(
        id=number, attempt=attempt, request_id="req-1", instance_uuid="u", action="stop", project_id="p", user_id="u",
        state=OperationState.RUNNING, topic="compute",
    )  # fmt: skip


def test_a_driver_is_used_while_the_lease_is_good(clock: Clock) -> None:
    made, raw = _fence(), Driver()
    guarded = made.guard(raw)
    made.confirm(clock.at)
    clock.at += LEASE_S - 0.1
    assert guarded.spawn("x") == "x"
    clock.at += 0.2
    with pytest.raises(exception.HostFenced):
        guarded.spawn("y")
    assert raw.done == ["x"]
    assert (guarded.list_guests(), guarded.name) == ("a look", "no method")


def test_without_any_heartbeat_nothing_is_touched(clock: Clock) -> None:
    with pytest.raises(exception.HostFenced, match="not renewed"):
        _fence().check()


def test_a_worker_whose_lease_is_over_asks_before_it_goes_on(clock: Clock) -> None:
    asked = []

    def renew() -> None:
        asked.append(clock.at)
        made.confirm(clock.at)

    made = _fence(renew)
    made.confirm(clock.at)
    clock.at += 100  # SIGSTOP, SIGCONT
    made.check()
    made.check()
    assert asked == [200.0]


def test_an_answer_is_good_from_when_it_was_asked_for(clock: Clock) -> None:
    """The first question may have waited for a conductor longer than the lease; then another is asked."""
    waits = [LEASE_S + 1, 0.0]

    def renew() -> None:
        sent_at = clock.at
        clock.at += waits.pop(0)
        made.confirm(sent_at)

    made = _fence(renew)
    made.check()
    assert waits == []


def test_the_answer_says_what_was_taken_meanwhile(clock: Clock) -> None:
    made = _fence(lambda: made.confirm(clock.at, made.held(), [7]))
    made.confirm(clock.at)
    with made.working(_operation(7)):
        made.check()
        clock.at += 100
        with pytest.raises(exception.StaleWrite):
            made.check()
    made.check()  # what the host does by itself
    with made.working(_operation(8)):
        made.check()
    with made.working(_operation(7, attempt=2)):
        made.check()  # taken again


def test_an_answer_about_a_former_attempt_does_not_end_the_next_one(clock: Clock) -> None:
    made = _fence()
    with made.working(_operation(7, attempt=1)):
        asked = made.held()
    with made.working(_operation(7, attempt=2)):
        made.confirm(clock.at, asked, [7])
        made.check()
    assert made.held() == {}


def test_who_was_overtaken_and_knows_it_may_undo_what_it_did(clock: Clock) -> None:
    made, raw = _fence(), Driver()
    guarded = made.guard(raw)
    made.confirm(clock.at)
    with made.working(_operation()):
        made.confirm(clock.at, {7: 1}, [7])
        try:
            guarded.spawn("more")
        except exception.StaleWrite:
            guarded.spawn("what takes it back")
            clock.at += LEASE_S + 1
            with pytest.raises(exception.HostFenced):
                guarded.spawn("what nobody may")
    assert raw.done == ["what takes it back"]


def test_who_was_replaced_never_touches_anything_again(clock: Clock) -> None:
    made = _fence(lambda: made.confirm(clock.at))
    made.confirm(clock.at)
    made.shut("another daemon")
    made.confirm(clock.at)
    with pytest.raises(exception.HostFenced, match="another daemon"):
        made.check()
    assert (made.why_shut, made.is_valid()) == ("another daemon", False)


def test_being_fenced_undoes_nothing() -> None:
    """Steps are undone after every error but this kind: the work goes on, here or elsewhere."""
    assert issubclass(exception.HostFenced, exception.ServiceStopping)


def test_every_look_is_a_drivers_method_and_nothing_that_changes_is_a_look() -> None:
    groups = [each for _, each in inspect.getmembers(driver, inspect.isclass) if issubclass(each, abc.ABC)]
    methods = {name for group in groups for name in vars(group) if not name.startswith("_") and name != "capabilities"}
    assert methods >= LOOKS
    changes = {name for name in methods - LOOKS if callable(getattr(FakeDriver, name, None))}
    assert {"spawn", "destroy", "delete_disks", "create_disks", "power_on", "live_migrate", "quarantine"} <= changes
    # A method that the fake hypervisor's plan can strike does something, unless it only reads.
    assert not LOOKS & {"spawn", "destroy", "create_disks", "delete_disks", "snapshot", "rescue", "attach_volume"}


@pytest.mark.parametrize(("door", "looks"), [(NetworkAPI, NETWORK_LOOKS), (VolumeAPI, VOLUME_LOOKS)])
def test_what_changes_something_at_a_service_is_no_look(door: type, looks: frozenset[str]) -> None:
    methods = {name for name in vars(door) if not name.startswith("_")}
    assert methods >= looks
    assert not {name for name in looks if name.startswith(("attachment_", "allocate", "de", "move", "un", "cr"))}


class Door:
    """A network service that asks before each change."""

    def __init__(self, raw: Driver, check: Callable[[], object] = lambda: None) -> None:
        self._raw, self._check = raw, check

    def fenced(self, check: Callable[[], object]) -> Door:
        return Door(self._raw, check)

    def spawn(self, what: str) -> None:
        self._check()
        self._raw.spawn(what)


def test_a_network_service_asks_again_before_it_changes_something(clock: Clock) -> None:
    made, raw = _fence(), Driver()
    confirmed = made.guard_network(Door(raw))
    made.confirm(clock.at)
    confirmed.spawn("x")
    clock.at += LEASE_S + 1
    with pytest.raises(exception.HostFenced):
        confirmed._door.spawn("x")
    assert raw.done == ["x"]


def test_a_service_is_told_nothing_by_who_was_overtaken(clock: Clock) -> None:
    made, raw = _fence(), Driver()
    for guarded in (made.guard_network(Door(raw)), made.guard_volume(raw)):
        with pytest.raises(exception.HostFenced):
            guarded.spawn("x")
    assert raw.done == []
