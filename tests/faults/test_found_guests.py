"""Guests that hosts find: started, stopped or lost behind the cloud's back, of nobody, a second time, of yesterday."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from nova_lite import exception
from nova_lite.cmd.manage import quarantine
from nova_lite.compute.power_states import PowerState
from nova_lite.compute.rpcapi import ComputeRpcAPI
from nova_lite.context import admin_context
from nova_lite.db.api import instances
from nova_lite.virt.fake import FakeDriver
from nova_lite.virt.fake.base import FakeGuest
from tests.harness.cloud import ADMIN, Cloud, until

HOSTS = ("host1", "host2")
STRANGE = "11111111-2222-4333-8444-555555555555"
OPTIONS = {"operations": {"heartbeat_interval_s": 0.2, "sweep_interval_s": 0.2, "power_sync_interval_s": 0.5}}


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    with Cloud(tmp_path_factory.mktemp("found"), hosts=len(HOSTS), options=OPTIONS) as running:
        yield running


@pytest.fixture(autouse=True)
def _clean(cloud: Cloud) -> Iterator[None]:
    yield
    cloud.delete_servers()
    cloud.wait_quiet()


@pytest.fixture
def server(cloud: Cloud) -> str:
    return str(cloud.boot(availability_zone="nova:host1", token=ADMIN)["id"])


@pytest.fixture
def driver(cloud: Cloud) -> FakeDriver:
    return cloud.drivers["host1"]


def _appears(driver: FakeDriver, uuid: str, generation: int | None, power_state: int = PowerState.RUNNING) -> FakeGuest:
    """A guest with a disk that no operation made."""
    driver.disks.add(uuid)
    driver.guests[uuid] = FakeGuest(uuid, "stranger", power_state, generation)  # type: ignore[arg-type]
    return driver.guests[uuid]


def _look(cloud: Cloud, host: str) -> None:
    """The host looks around, to the end."""
    manager: Any = cloud.services[host].manager
    manager._sync_power_states()


def _door() -> ComputeRpcAPI:
    return ComputeRpcAPI()


# -- behind the cloud's back (R23) --------------------------------------------------------------------------------


@pytest.mark.parametrize("heard", [True, False], ids=["by an event", "by looking around"])
def test_a_guest_that_is_started_behind_a_stopped_server_is_stopped(
    cloud: Cloud, driver: FakeDriver, server: str, heard: bool
) -> None:
    cloud.act(server, "os-stop")
    cloud.wait(server, "SHUTOFF")
    if heard:
        driver.happens(server, PowerState.RUNNING)
    else:
        driver.guests[server].power_state = PowerState.RUNNING
    until(lambda: driver.guests[server].power_state == PowerState.SHUTDOWN, 5, lambda: "it runs on")
    # The row may have heard of the start before the host was told to end it.
    until(
        lambda: cloud.wait(server, "SHUTOFF")["OS-EXT-STS:power_state"] == PowerState.SHUTDOWN, 5,
        lambda: "the row says that it runs",
    )  # fmt: skip


def test_a_server_that_is_started_properly_runs(cloud: Cloud, driver: FakeDriver, server: str) -> None:
    for _ in range(3):
        for action, status in (("os-stop", "SHUTOFF"), ("os-start", "ACTIVE")):
            cloud.act(server, action)
            _look(cloud, "host1")
            cloud.wait(server, status)
    assert driver.guests[server].power_state == PowerState.RUNNING


def test_a_guest_that_vanishes_leaves_a_stopped_server_that_starts_again(
    cloud: Cloud, driver: FakeDriver, server: str
) -> None:
    """As Nova does with one that stopped: the disks are there, and a start defines the guest anew."""
    del driver.guests[server]
    cloud.wait(server, "SHUTOFF")
    assert server in driver.disks
    assert cloud.act(server, "os-start").status == 202
    cloud.wait(server, "ACTIVE")
    assert driver.guests[server].generation == instances.get(server).generation


def test_a_redefined_guest_that_lost_its_mark_is_left_alone_and_marked_at_its_next_start(
    cloud: Cloud, driver: FakeDriver, server: str
) -> None:
    driver.guests[server].generation = None  # type: ignore[assignment]
    _look(cloud, "host1")
    assert driver.guests[server].power_state == PowerState.RUNNING
    cloud.act(server, "reboot", {"type": "HARD"})
    cloud.wait(server, "ACTIVE")
    assert driver.guests[server].generation == instances.get(server).generation


# -- quarantine ---------------------------------------------------------------------------------------------------


def test_a_guest_of_a_server_that_nobody_knows_is_set_apart_and_an_operator_decides(
    cloud: Cloud, driver: FakeDriver
) -> None:
    guest = _appears(driver, STRANGE, generation=3)
    _look(cloud, "host1")
    assert guest.power_state == PowerState.SHUTDOWN and STRANGE in driver.disks
    rows, silent = quarantine.found(_door(), [*HOSTS], 2.0)
    assert silent == {}
    assert [(row["host"], row["uuid"], row["reason"]) for row in rows] == [
        ("host1", STRANGE, "the database does not know the server")
    ]
    since = rows[0]["since"]
    guest.power_state = PowerState.RUNNING  # somebody starts it all the same
    _look(cloud, "host1")
    (row,), _ = quarantine.found(_door(), ["host1"], 2.0)
    assert (guest.power_state, row["since"]) == (PowerState.SHUTDOWN, since)
    _door().release_quarantine(admin_context(), "host1", STRANGE)
    _look(cloud, "host1")
    assert guest.quarantine is None and guest.power_state == PowerState.SHUTDOWN
    with pytest.raises(exception.GuestNotFound, match="not in quarantine"):
        _door().discard_quarantine(admin_context(), "host1", STRANGE)
    assert STRANGE in driver.guests
    guest.power_state = PowerState.RUNNING
    _look(cloud, "host1")
    _door().discard_quarantine(admin_context(), "host1", STRANGE)
    assert STRANGE not in driver.guests and STRANGE not in driver.disks


def test_a_guest_without_our_mark_is_somebody_elses(cloud: Cloud, driver: FakeDriver) -> None:
    guest = _appears(driver, STRANGE, generation=None)
    _look(cloud, "host1")
    assert (guest.power_state, guest.quarantine) == (PowerState.RUNNING, None)
    assert STRANGE in driver.disks
    with pytest.raises(exception.GuestNotFound):
        _door().discard_quarantine(admin_context(), "host1", STRANGE)
    del driver.guests[STRANGE]
    driver.disks.discard(STRANGE)


def test_a_second_copy_of_the_present_generation_is_set_apart_and_goes_with_its_server(
    cloud: Cloud, server: str
) -> None:
    other = cloud.drivers["host2"]
    guest = _appears(other, server, instances.get(server).generation)
    _look(cloud, "host2")
    assert guest.power_state == PowerState.SHUTDOWN and guest.quarantine is not None
    assert server in other.guests and server in other.disks
    assert cloud.drivers["host1"].guests[server].power_state == PowerState.RUNNING
    cloud.delete(f"/servers/{server}", token=ADMIN)
    cloud.wait_gone(server)
    _look(cloud, "host2")
    assert server not in other.guests and server not in other.disks


def test_an_old_copy_of_a_server_that_lives_elsewhere_is_removed(cloud: Cloud, server: str) -> None:
    other = cloud.drivers["host2"]
    _appears(other, server, instances.get(server).generation - 1)
    _look(cloud, "host2")
    assert server not in other.guests and server not in other.disks
    assert cloud.drivers["host1"].guests[server].power_state == PowerState.RUNNING


def test_a_guest_that_is_newer_than_the_database_is_left_alone(
    cloud: Cloud, server: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A database restored from a backup must cost nobody his guest."""
    other = cloud.drivers["host2"]
    guest = _appears(other, server, instances.get(server).generation + 1)
    _look(cloud, "host2")
    assert (guest.power_state, guest.quarantine) == (PowerState.RUNNING, None)
    assert "is that an older copy?" in caplog.text
    del other.guests[server]
    other.disks.discard(server)


def test_a_guest_whose_server_lives_here_is_not_discarded(cloud: Cloud, driver: FakeDriver, server: str) -> None:
    driver.guests[server].quarantine = ("an error", "2026-01-01T00:00:00")
    with pytest.raises(exception.Conflict, match="must not be discarded"):
        _door().discard_quarantine(admin_context(), "host1", server)
    assert server in driver.guests and server in driver.disks
    _door().release_quarantine(admin_context(), "host1", server)


def test_a_quarantine_outlives_the_daemon(cloud: Cloud) -> None:
    _appears(cloud.drivers["host2"], STRANGE, generation=3)
    _look(cloud, "host2")
    (cloud.directory / "host2" / f"{STRANGE}.disk").write_text("")
    cloud.stop("host2")
    driver = cloud.start_host("host2")
    assert driver.find_guest(STRANGE).quarantine is not None  # type: ignore[union-attr]
    _door().discard_quarantine(admin_context(), "host2", STRANGE)
    assert not [*(cloud.directory / "host2").glob(f"{STRANGE}*")]
