"""What a former move set aside, and the disk in use: the disk in use is the server's."""

from __future__ import annotations

import pathlib

import pytest

from nova_lite.virt.fake import FakeDriver
from nova_lite.virt.fault_plan import FaultPlan
from tests.harness.database import make_instance

SERVER = make_instance(host="here")


def _driver(directory: pathlib.Path | None) -> FakeDriver:
    driver = FakeDriver("here", FaultPlan(lambda _: None), (8, 8192, 100), directory)
    driver.init_host()
    return driver


@pytest.fixture(params=[False, True], ids=["memory", "files"])
def driver(request: pytest.FixtureRequest, tmp_path: pathlib.Path) -> FakeDriver:
    """A server whose move was given up: what that set aside is still there, and its guest goes on."""
    made = _driver(tmp_path if request.param else None)
    made._lay(SERVER, "before")
    disks = made.migrate_disk_and_power_off(SERVER, "here", None, SERVER.flavor)
    made.finish_migration(SERVER, (), disks, True)
    made._lay(SERVER, "written since")
    return made


def test_a_move_takes_the_disk_in_use(driver: FakeDriver) -> None:
    assert driver.list_set_aside() == {SERVER.uuid}
    assert driver.migrate_disk_and_power_off(SERVER, "there", None, SERVER.flavor) == {"root": "written since"}
    driver.finish_revert_migration(SERVER, (), True)
    assert driver.roots == {SERVER.uuid: "written since"} and driver.list_set_aside() == frozenset()


def test_what_was_sent_is_sent_again(driver: FakeDriver) -> None:
    for _ in range(2):
        assert driver.migrate_disk_and_power_off(SERVER, "there", None, SERVER.flavor) == {"root": "written since"}


def test_a_way_back_with_the_disk_in_place_lays_nothing_over_it(driver: FakeDriver) -> None:
    driver.finish_revert_migration(SERVER, (), True)
    assert driver.roots == {SERVER.uuid: "written since"} and driver.list_set_aside() == frozenset()


def test_what_was_set_aside_is_known_after_a_restart(tmp_path: pathlib.Path) -> None:
    first = _driver(tmp_path)
    first._lay(SERVER, "all there is")
    first.migrate_disk_and_power_off(SERVER, "there", None, SERVER.flavor)
    again = _driver(tmp_path)
    assert again.list_set_aside() == again.list_disks() == {SERVER.uuid}
    assert again.migrate_disk_and_power_off(SERVER, "there", None, SERVER.flavor) == {"root": "all there is"}
