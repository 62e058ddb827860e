"""The fake hypervisor keeps its word: idempotent, states as a real one's, guests that outlive it."""

from __future__ import annotations

import errno
import pathlib

import pytest

from nova_lite import exception
from nova_lite.compute.power_states import PowerState
from nova_lite.objects import BlockDevice, Flavor, Instance
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


def test_what_cannot_be_written_has_not_happened(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk: what the daemon is told, and what it finds after its restart, is the same."""
    driver = _booted(tmp_path)
    other = SERVER.replace(uuid="u2")
    volume = BlockDevice(source_type="volume", destination_type="volume", volume_id="v", connection={"data": {}})

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "no space")

    with monkeypatch.context() as patch:
        patch.setattr(driver, "_write", full)
        for fail in (
            lambda: driver.power_off(SERVER),
            lambda: driver.attach_volume(SERVER, volume),
            lambda: driver.create_disks(None, other),
            lambda: driver.pre_live_migration(other, (), {}),
            lambda: driver.migrate_disk_and_power_off(SERVER, "there", None, SERVER.flavor),
        ):
            with pytest.raises(OSError, match="no space"):
                fail()
    again = _driver(tmp_path)
    assert driver.list_guests() == again.list_guests()
    assert [(guest.power_state, guest.volumes) for guest in again.list_guests()] == [(PowerState.RUNNING, ())]
    assert driver.list_disks() == again.list_disks() == {"u1"}
    assert driver.list_incoming() == again.list_incoming() == frozenset()


def test_what_was_half_written_is_no_more(tmp_path: pathlib.Path) -> None:
    _booted(tmp_path)
    before = {path.name for path in tmp_path.iterdir()}
    for name in ("u1.tmp", "u1.snapshot"):
        (tmp_path / name).touch()
    assert _driver(tmp_path).guests.keys() == {"u1"}
    assert {path.name for path in tmp_path.iterdir()} == before


def test_a_guest_whose_file_cannot_be_written_is_not_there(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    driver = _driver(tmp_path)
    driver.create_disks(None, SERVER)

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "no space")

    with monkeypatch.context() as patch, pytest.raises(OSError, match="no space"):
        patch.setattr(driver, "_write", full)
        driver.spawn(SERVER, ())
    assert driver.list_guests() == _driver(tmp_path).list_guests() == ()


def test_what_happens_by_itself_is_told() -> None:
    driver, heard = _booted(), []
    driver.register_event_listener(heard.append)
    driver.happens("u1", PowerState.CRASHED)
    assert [(event.uuid, event.transition) for event in heard] == [("u1", Transition.STOPPED)]
    assert driver.power_state(SERVER) == PowerState.CRASHED
