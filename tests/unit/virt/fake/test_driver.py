"""The fake hypervisor keeps its word: idempotent, states as a real one's, guests that outlive it."""

from __future__ import annotations

import pathlib

import pytest

from nova_lite import exception
from nova_lite.compute.power_states import PowerState
from nova_lite.objects import Flavor, Instance
from nova_lite.virt.event import Transition
from nova_lite.virt.fake import FakeDriver
from nova_lite.virt.fault_plan import FaultPlan

SERVER = Instance("u1", "p", "u", "web", "active", Flavor("1", "f", 1, 1, 1), generation=3)


def _driver(directory: pathlib.Path | None = None) -> FakeDriver:
    driver = FakeDriver("h", FaultPlan(lambda _: None), (4, 1024, 10), directory)
    driver.init_host()
    return driver


def _booted(directory: pathlib.Path | None = None) -> FakeDriver:
    driver = _driver(directory)
    for _ in range(2):  # again changes nothing
        driver.create_disks(None, SERVER)
        driver.spawn(SERVER, ())
    return driver


def test_a_guest_is_built_once_and_carries_its_generation() -> None:
    (guest,) = _booted().list_guests()
    assert (guest.uuid, guest.power_state, guest.generation) == ("u1", PowerState.RUNNING, 3)


def test_states_follow_the_verbs() -> None:
    driver = _booted()
    for verb, state in (
        (driver.pause, PowerState.PAUSED),
        (driver.unpause, PowerState.RUNNING),
        (driver.suspend, PowerState.SHUTDOWN),
        (lambda server: driver.resume(server, ()), PowerState.RUNNING),
        (driver.power_off, PowerState.SHUTDOWN),
        (lambda server: driver.power_on(server, ()), PowerState.RUNNING),
        (lambda server: driver.reboot(server, (), hard=True), PowerState.RUNNING),
    ):
        verb(SERVER)
        assert driver.power_state(SERVER) == state


def test_destroy_and_delete_disks_leave_nothing_and_may_be_repeated(tmp_path: pathlib.Path) -> None:
    driver = _booted(tmp_path)
    for _ in range(2):
        driver.destroy(SERVER)
        driver.delete_disks(SERVER)
    assert driver.list_guests() == () and driver.disks == set() and not list(tmp_path.iterdir())
    assert driver.power_state(SERVER) == PowerState.NOSTATE
    with pytest.raises(exception.GuestNotFound):
        driver.pause(SERVER)


def test_guests_outlive_the_process(tmp_path: pathlib.Path) -> None:
    _booted(tmp_path).pause(SERVER)
    again = _driver(tmp_path)
    assert again.power_state(SERVER) == PowerState.PAUSED and again.disks == {"u1"}


def test_what_happens_by_itself_is_told() -> None:
    driver, heard = _booted(), []
    driver.register_event_listener(heard.append)
    driver.happens("u1", PowerState.CRASHED)
    assert [(event.uuid, event.transition) for event in heard] == [("u1", Transition.STOPPED)]
    assert driver.power_state(SERVER) == PowerState.CRASHED
