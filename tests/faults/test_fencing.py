"""Hosts that hang, are cut off, replaced or evacuated while they live: one running guest a server, nothing lost."""

from __future__ import annotations

import pathlib
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from nova_lite import exception, liveness
from nova_lite.compute.power_states import PowerState
from nova_lite.conductor import hosts
from nova_lite.db.api import instances, migrations, operations, services
from nova_lite.liveness import COMPUTE
from nova_lite.objects import MigrationStatus
from nova_lite.virt.fake import FakeDriver
from tests.harness.cloud import ADMIN, Cloud, until
from tests.harness.ice import Ice, step_done

QUICK: dict[str, Mapping[str, Any]] = {
    "operations": {
        "heartbeat_interval_s": 0.1, "sweep_interval_s": 0.1, "lease_s": 1.0, "service_down_s": 1.0,
        "power_sync_interval_s": 0.5,
    }
}  # fmt: skip


@pytest.fixture
def cloud(tmp_path: pathlib.Path) -> Iterator[Cloud]:
    with Cloud(tmp_path, hosts=2, options=QUICK) as running:
        yield running


@pytest.fixture(autouse=True)
def at_most_one_runs(cloud: Cloud) -> Iterator[None]:
    yield
    running = [
        guest.uuid for driver in cloud.drivers.values() for guest in driver.list_guests()
        if guest.power_state == PowerState.RUNNING
    ]  # fmt: skip
    assert len(running) == len(set(running))


def _boot_on(cloud: Cloud, host: str) -> str:
    return str(cloud.boot(availability_zone=f"nova:{host}", token=ADMIN)["id"])


def _calls(driver: FakeDriver, uuid: str) -> list[str]:
    return [call for call, of in driver.plan.calls if of == uuid]


def _is_down(host: str) -> bool:
    return host in liveness.dead_hosts(1.0)


def _evacuate(cloud: Cloud, uuid: str) -> Any:
    return cloud.act(uuid, "evacuate", {}, token=ADMIN, version="2.94")


def _force(host: str, down: bool) -> None:
    services.set_forced_down(services.get_by_host(host, COMPUTE).uuid, down)


# -- zombies ------------------------------------------------------------------------------------------------------


def test_a_host_that_hung_past_its_lease_starts_no_guest_that_is_another_hosts_by_now(cloud: Cloud) -> None:
    cloud.stop("host2")
    ice = Ice(cloud, "host1")
    ice.freeze_after(step_done("disks"))
    server = cloud.boot(wait=None)["id"]
    ice.wait_frozen()
    cloud.start_host("host2")
    assert cloud.wait(server, "ACTIVE", 30)["OS-EXT-SRV-ATTR:host"] == "host2"
    ice.thaw()
    cloud.wait_quiet()
    assert "spawn" not in _calls(ice.driver, server)
    assert not ice.driver.guests and not ice.driver.disks


def test_a_host_that_hung_takes_no_interface_of_a_server_that_is_built_elsewhere_by_now(cloud: Cloud) -> None:
    """The network service knows no leases: it would bind the port to whoever asks, who gives it back, overtaken."""
    cloud.stop("host2")
    ice = Ice(cloud, "host1")
    ice.freeze_after(lambda verb, _: verb == "take_operation")
    server = cloud.boot(wait=None)["id"]
    ice.wait_frozen()
    cloud.start_host("host2")
    cloud.wait(server, "ACTIVE", 30)
    before = cloud.networks.ports_of(server)
    assert [port["binding:host_id"] for port in before] == ["host2"]
    ice.thaw()
    cloud.wait_quiet()
    assert cloud.networks.ports_of(server) == before


def test_a_host_that_hung_and_lost_nothing_goes_on(cloud: Cloud) -> None:
    """Its lease ran out, but nobody wanted what it held: it asks, and is told that all is still its own."""
    server = _boot_on(cloud, "host1")
    cloud.stop("host2")
    ice = Ice(cloud, "host1")
    ice.freeze_after(lambda verb, _: verb == "take_operation")
    assert cloud.act(server, "os-stop").status == 202
    ice.wait_frozen()
    until(lambda: not ice.manager._life.fence.is_valid(), 10, lambda: "its lease never ran out")
    ice.thaw()
    cloud.wait(server, "SHUTOFF")
    assert _calls(ice.driver, server).count("power_off") == 1
    cloud.wait_quiet()


def test_a_daemon_that_was_replaced_takes_nothing_and_touches_nothing(cloud: Cloud) -> None:
    server = _boot_on(cloud, "host1")
    former = Ice(cloud, "host1")
    former.freeze()
    owner = former.manager._life.owner
    cloud.start_host("host1")  # the same name and state directory, another life
    former.thaw()
    try:
        until(lambda: former.manager._life.fence.why_shut, 10, lambda: "it does not know that it was replaced")
        before = _calls(former.driver, server)
        for action, status in (("os-stop", "SHUTOFF"), ("os-start", "ACTIVE")):
            assert cloud.act(server, action).status == 202
            cloud.wait(server, status)
        assert _calls(former.driver, server) == before
        with pytest.raises(exception.HostFenced):
            former.manager._host.driver.destroy(instances.get(server))
        present = services.get_by_host("host1", COMPUTE).epoch
        assert present != former.manager._life.epoch, "it registered again under its old epoch"
        cloud.drivers["host1"].plan.delay("pause", 0.3)
        cloud.act(server, "pause")
        (pausing,) = operations.open_for_instance(server)
        assert hosts.take(pausing.id, owner, 10.0, "host1") is None
        cloud.wait(server, "PAUSED")
    finally:
        former.service.stop(3.0)
    cloud.wait_quiet()


# -- partitions ---------------------------------------------------------------------------------------------------


def test_a_host_that_is_cut_off_longer_than_down_time_comes_back_as_it_was(cloud: Cloud) -> None:
    """R19: down while it is away, what only it can do waits, and nothing of it happens twice."""
    server = _boot_on(cloud, "host1")
    ice = Ice(cloud, "host1")
    ice.freeze()
    until(lambda: _is_down("host1"), 10, lambda: "it is not missed")
    shown = {each["host"]: each["state"] for each in cloud.get("/os-services?binary=nova-compute", token=ADMIN)
             .json["services"]}  # fmt: skip
    assert shown == {"host1": "down", "host2": "up"}
    assert cloud.act(server, "reboot", {"type": "HARD"}).status == 202
    ice.driver.guests[server].power_state = PowerState.SHUTDOWN  # meanwhile, by itself
    ice.thaw()
    cloud.wait(server, "ACTIVE")
    until(lambda: not _is_down("host1"), 10, lambda: "it is not back")
    assert _calls(ice.driver, server).count("reboot") == 1
    cloud.wait_quiet()


def test_a_conductor_that_saw_nothing_for_long_takes_nobody_for_dead(cloud: Cloud) -> None:
    """A database or a broker that was away: nobody could beat, and the first sweep must not bury everybody."""
    cloud.drivers["host1"].plan.delay("spawn", 2.5)
    cloud.stop("host2")
    server = cloud.boot(wait=None)["id"]
    until(lambda: "spawn" in _calls(cloud.drivers["host1"], server), 10, lambda: "the build never began")
    cloud.start_host("host2")
    sweeper = cloud.services["conductor"].manager._sweeper  # type: ignore[attr-defined]
    ice = Ice(cloud, "host1")
    ice.freeze()
    sweeper._looked_at -= 100  # as if it had not looked for so long
    assert sweeper._dazzled()
    until(lambda: not sweeper._dazzled(), 10, lambda: "it never trusts its eyes again")
    ice.thaw()
    assert cloud.wait(server, "ACTIVE")["OS-EXT-SRV-ATTR:host"]
    cloud.wait_quiet()


# -- evacuation with the source alive -----------------------------------------------------------------------------


def test_a_host_that_is_up_is_not_evacuated(cloud: Cloud) -> None:
    """Also one that was away and came back before."""
    server = _boot_on(cloud, "host1")
    ice = Ice(cloud, "host1")
    ice.freeze()
    until(lambda: _is_down("host1"), 10, lambda: "it is not missed")
    ice.thaw()
    until(lambda: not _is_down("host1"), 10, lambda: "it is not back")
    answer = _evacuate(cloud, server)
    assert (answer.status, "still in use" in answer.json["badRequest"]["message"]) == (400, True)
    assert cloud.drivers["host1"].guests[server].power_state == PowerState.RUNNING


def test_a_source_that_lives_stops_its_guest_first_and_removes_it_when_the_new_one_stands(cloud: Cloud) -> None:
    """R20. An operator says that the host is dead, and errs."""
    server = _boot_on(cloud, "host1")
    source, dest = cloud.drivers["host1"], cloud.drivers["host2"]
    dest.plan.delay("create_disks", 1.0)
    _force("host1", True)
    assert _evacuate(cloud, server).status == 200
    until(lambda: source.guests[server].power_state == PowerState.SHUTDOWN, 5, lambda: "the old one runs on")
    assert server not in dest.guests, "too slow a test: the new one stands already"
    assert server in source.disks
    assert cloud.wait(server, "ACTIVE")["OS-EXT-SRV-ATTR:host"] == "host2"
    until(lambda: server not in source.guests and server not in source.disks, 10, lambda: "the old one is left")
    _force("host1", False)
    cloud.wait_quiet()


@pytest.mark.parametrize("returns", ["during", "after"])
def test_a_source_that_was_unreachable_returns(cloud: Cloud, returns: str) -> None:
    """R20, and Nova's 1764883 and 2085975: the source is there again while its server is still being built."""
    server = _boot_on(cloud, "host1")
    source, dest = cloud.drivers["host1"], cloud.drivers["host2"]
    ice = Ice(cloud, "host1")
    ice.freeze()
    until(lambda: _is_down("host1"), 10, lambda: "it is not missed")
    dest.plan.delay("create_disks", 1.5 if returns == "during" else 0.0)
    assert _evacuate(cloud, server).status == 200
    if returns == "during":
        ice.thaw()
        until(lambda: source.guests[server].power_state == PowerState.SHUTDOWN, 5, lambda: "the old one runs on")
        assert server in source.disks and server not in dest.guests
    assert cloud.wait(server, "ACTIVE")["OS-EXT-SRV-ATTR:host"] == "host2"
    if returns == "after":
        assert source.guests[server].power_state == PowerState.RUNNING, "nobody can have reached it"
        ice.thaw()
    until(lambda: server not in source.guests and server not in source.disks, 10, lambda: "the old one is left")
    until(lambda: not migrations.evacuated(), 10, lambda: "the source never said that it is clean")
    cloud.wait_quiet()


def test_a_source_restarted_during_the_evacuation_destroys_nothing_before_its_end(cloud: Cloud) -> None:
    """1764883: with a new life instead of a thawed one."""
    server = _boot_on(cloud, "host1")
    dest = cloud.drivers["host2"]
    dest.plan.delay("spawn", 1.0)
    cloud.silence("host1")
    assert _evacuate(cloud, server).status == 200
    until(lambda: "spawn" in _calls(dest, server), 10, lambda: "it is not built")
    source = cloud.revive("host1")
    assert source.guests[server].power_state == PowerState.SHUTDOWN and server in source.disks
    assert "destroy" not in _calls(source, server)
    assert cloud.wait(server, "ACTIVE")["OS-EXT-SRV-ATTR:host"] == "host2"
    cloud.wait_quiet()


def test_after_a_failed_evacuation_the_source_keeps_what_it_has(cloud: Cloud) -> None:
    """1713783: no host can take the server; the source comes back and must not clean up."""
    server = _boot_on(cloud, "host1")
    cloud.silence("host1", "host2")
    assert _evacuate(cloud, server).status == 200
    cloud.wait(server, "ERROR")
    assert [each.status for each in migrations.list({"instance_uuid": server})] == [MigrationStatus.ERROR]
    source = cloud.revive("host1")
    assert server in source.guests and server in source.disks
    assert not {"destroy", "delete_disks", "power_off"} & {*_calls(source, server)}
    assert cloud.act(server, "reboot", {"type": "HARD"}, token=ADMIN).status == 202
    assert cloud.wait(server, "ACTIVE")["OS-EXT-SRV-ATTR:host"] == "host1"
    cloud.revive("host2")
    cloud.wait_quiet()


def test_a_source_returns_after_its_evacuated_server_was_deleted(cloud: Cloud) -> None:
    """1794996: it starts, and removes what is left."""
    server = _boot_on(cloud, "host1")
    cloud.silence("host1")
    _evacuate(cloud, server)
    cloud.wait(server, "ACTIVE")
    assert cloud.delete(f"/servers/{server}", token=ADMIN).status == 204
    cloud.wait_gone(server)
    source = cloud.revive("host1")
    assert not source.guests and not source.disks
    cloud.wait_quiet()


@pytest.mark.parametrize("version", ["2.52", "2.53"])
def test_a_host_is_not_forced_up_before_it_has_cleaned_up(cloud: Cloud, version: str) -> None:
    """1922053."""
    server = _boot_on(cloud, "host1")
    cloud.silence("host1")
    _evacuate(cloud, server)
    cloud.wait(server, "ACTIVE")

    def force_up() -> Any:
        if version == "2.53":
            path, body = f"/os-services/{services.get_by_host('host1', COMPUTE).uuid}", {"forced_down": False}
        else:
            path = "/os-services/force-down"
            body = {"host": "host1", "binary": "nova-compute", "forced_down": False}  # type: ignore[dict-item]
        return cloud.request("PUT", path, body, token=ADMIN, version=version)

    refused = force_up()
    assert refused.status == 400
    assert refused.json["badRequest"]["message"].startswith("Unable to force up host host1 as `done` evacuation")
    cloud.start_host("host1")
    until(lambda: not migrations.evacuated("host1"), 10, lambda: "it never cleaned up")
    assert force_up().status == 200
    cloud.wait_quiet()
