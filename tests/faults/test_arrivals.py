"""Live migrations that are reset in the middle: row, interfaces and volumes are where the guest is, whoever dies."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from nova_lite.compute import reconcile
from nova_lite.compute.power_states import PowerState
from nova_lite.context import admin_context
from nova_lite.db.api import instances, operations
from nova_lite.objects import OPEN_STATES, Operation, OperationState
from nova_lite.virt.fault_plan import FaultKind, FaultRule
from tests.harness.cloud import ADMIN, CTXT, Cloud, until

AUTO = {"host": None, "block_migration": "auto"}
HOSTS = ("host1", "host2")
# No host looks around by itself: who must be told, must be told.
OPTIONS = {
    "operations": {
        "heartbeat_interval_s": 0.3, "sweep_interval_s": 0.3, "lease_s": 3.0, "service_down_s": 6.0,
        "power_sync_interval_s": 3600, "audit_interval_s": 0,
    },
}  # fmt: skip


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    with Cloud(tmp_path_factory.mktemp("arrivals"), hosts=2, options=OPTIONS) as running:
        yield running


@pytest.fixture
def cloud(whole: Cloud) -> Iterator[Cloud]:
    """Everything works before a test; after it the oracle finds nothing wrong, before and after the servers go."""
    yield whole
    whole.networks.plan.clear()
    whole.volumes.plan.clear()
    for driver in whole.drivers.values():
        driver.plan.clear()
    for name in HOSTS:
        if name not in whole.services:
            whole.start_host(name)
    whole.wait_quiet(30)
    whole.delete_servers()
    whole.wait_quiet()


def _with_a_volume(cloud: Cloud) -> dict[str, Any]:
    server, volume = cloud.boot(), cloud.volumes.make(CTXT)
    body = {"volumeAttachment": {"volumeId": volume}}
    assert cloud.post(f"/servers/{server['id']}/os-volume_attachments", body).status == 202
    cloud.wait_quiet()
    return server


def _sides(cloud: Cloud, server: dict[str, Any]) -> tuple[str, str]:
    """Where it is, and where else it could be."""
    home = str(server["OS-EXT-SRV-ATTR:host"])
    return home, next(name for name in HOSTS if name != home)


def _migrating(cloud: Cloud, server: dict[str, Any], host: str, call: str) -> None:
    """A live migration, while that host does that call."""
    cloud.drivers[host].plan.delay(call, 0.5)
    assert cloud.act(server["id"], "os-migrateLive", AUTO, token=ADMIN).status == 202
    calls = cloud.drivers[host].plan.calls
    until(lambda: (call, server["id"]) in calls, 15, lambda: f"{call} never came: {calls}")


def _reset(cloud: Cloud, server: dict[str, Any]) -> None:
    assert cloud.act(server["id"], "os-resetState", {"state": "active"}, token=ADMIN).status == 202


def _failed_once(server: dict[str, Any]) -> None:
    def rests() -> bool:
        return any(each.rests for each in operations.open_for_instance(server["id"]))

    until(rests, 20, lambda: "the destination did not fail")


def _settling(server: dict[str, Any]) -> list[Operation]:
    return [each for each in operations.list_for_instance(server["id"]) if each.action == "settle"]


def _settled(server: dict[str, Any]) -> None:
    def over() -> bool:
        return not any(each.state in OPEN_STATES for each in _settling(server))

    until(over, 20, lambda: f"it does not settle: {_settling(server)}")
    assert _settling(server) and all(each.state is OperationState.DONE for each in _settling(server))


def test_a_guest_that_went_over_takes_its_volumes_along(cloud: Cloud) -> None:
    server = _with_a_volume(cloud)
    home, other = _sides(cloud, server)
    _migrating(cloud, server, home, "post_live_migration")
    _reset(cloud, server)
    until(lambda: instances.get(server["id"]).host == other, 20, lambda: "the row does not follow")
    _settled(server)
    (device,) = (each for each in instances.get(server["id"]).block_devices if each.is_volume)
    assert device.host == other and device.connection
    cloud.wait_quiet()


def test_no_move_begins_while_it_is_not_known_where_a_live_migration_took_the_guest(cloud: Cloud) -> None:
    """What the guest was using on the other host had been taken for what the next one's former try had left.

    A cold one that was reset in its turn gave it up on its way back.
    """
    server = _with_a_volume(cloud)
    home, other = _sides(cloud, server)
    _migrating(cloud, server, home, "post_live_migration")
    cloud.volumes.plan.add(FaultRule("POST /attachments", FaultKind.RAISE))
    _reset(cloud, server)
    for action, body in (("os-migrateLive", AUTO), ("migrate", None), ("resize", {"flavorRef": "2"})):
        refused = cloud.act(server["id"], action, body, token=ADMIN)
        assert refused.status == 409 and "is being put in order" in refused.json["conflictingRequest"]["message"]
    until(lambda: instances.get(server["id"]).host == other, 20, lambda: "the row does not follow")
    assert cloud.act(server["id"], "os-migrateLive", AUTO, token=ADMIN).status == 409
    cloud.volumes.plan.clear()
    _settled(server)
    assert cloud.act(server["id"], "os-migrateLive", AUTO, token=ADMIN).status == 202
    until(lambda: instances.get(server["id"]).host == home, 20, lambda: "it does not go back")
    cloud.wait_quiet()


def test_a_guest_that_went_over_is_found_although_its_source_died(cloud: Cloud) -> None:
    server = _with_a_volume(cloud)
    home, other = _sides(cloud, server)
    _migrating(cloud, server, home, "post_live_migration")
    cloud.kill(home)
    _reset(cloud, server)
    assert instances.get(server["id"]).host == home and server["id"] in cloud.drivers[other].guests
    # As every host does now and then.
    reconcile.clean(cloud.services[other].manager._host, admin_context())  # type: ignore[attr-defined]
    assert instances.get(server["id"]).host == other
    cloud.start_host(home)
    _settled(server)
    cloud.wait_quiet(30)


def test_a_source_that_is_back_has_the_other_host_look(cloud: Cloud) -> None:
    server = cloud.boot()
    home, other = _sides(cloud, server)
    _migrating(cloud, server, home, "post_live_migration")
    cloud.kill(home)
    _reset(cloud, server)
    cloud.start_host(home)
    # Whoever looks at the wrong host must not conclude that the server is stopped, nor start it there.
    assert cloud.act(server["id"], "reboot", {"type": "HARD"}).status == 202
    until(lambda: instances.get(server["id"]).host == other, 20, lambda: "the row does not follow")
    _settled(server)
    cloud.wait(server["id"], "ACTIVE")
    assert ("reboot", server["id"]) not in cloud.drivers[home].plan.calls
    assert cloud.drivers[other].guests[server["id"]].power_state == PowerState.RUNNING
    assert ("power_off", server["id"]) not in cloud.drivers[other].plan.calls


@pytest.mark.parametrize("request_", ["GET ports", "PUT ports"])
def test_interfaces_follow_when_the_network_service_is_back(cloud: Cloud, request_: str) -> None:
    server = cloud.boot()
    home, other = _sides(cloud, server)
    _migrating(cloud, server, home, "post_live_migration")
    cloud.networks.plan.add(FaultRule(request_, FaultKind.RAISE, times=2))
    _reset(cloud, server)
    until(lambda: instances.get(server["id"]).host == other, 20, lambda: "the row does not follow")
    _settled(server)
    assert {port["binding:host_id"] for port in cloud.networks.ports_of(server["id"])} == {other}


def test_a_guest_that_stays_costs_no_volume(cloud: Cloud) -> None:
    """What the destination had made ready for it is given back."""
    server = _with_a_volume(cloud)
    home, _ = _sides(cloud, server)
    _migrating(cloud, server, home, "live_migrate_round")
    _reset(cloud, server)
    _settled(server)
    assert instances.get(server["id"]).host == home
    (device,) = (each for each in instances.get(server["id"]).block_devices if each.is_volume)
    assert device.host == home and server["id"] in cloud.drivers[home].guests
    cloud.wait_quiet()


def test_a_reset_while_the_destination_binds_loses_nothing(cloud: Cloud) -> None:
    """The row is there already; the operation that would have bound everything is given up."""
    server = _with_a_volume(cloud)
    home, other = _sides(cloud, server)
    cloud.networks.plan.add(FaultRule("PUT ports", FaultKind.RAISE, times=1))
    _migrating(cloud, server, home, "post_live_migration")
    _failed_once(server)
    _reset(cloud, server)
    _settled(server)
    assert instances.get(server["id"]).host == other
    assert {port["binding:host_id"] for port in cloud.networks.ports_of(server["id"])} == {other}
    cloud.wait_quiet()


def test_a_reset_after_the_row_has_the_new_attachment_leaves_no_old_one(cloud: Cloud) -> None:
    """The row had forgotten what the source holds, and the volume service had not given it up yet."""
    server = _with_a_volume(cloud)
    home, other = _sides(cloud, server)
    cloud.volumes.plan.add(FaultRule("DELETE /attachments", FaultKind.RAISE))
    _migrating(cloud, server, home, "post_live_migration")
    _failed_once(server)
    assert other in {device.host for device in instances.get(server["id"]).block_devices}
    _reset(cloud, server)
    cloud.volumes.plan.clear()
    _settled(server)
    cloud.wait_quiet()


def test_what_a_rebuild_that_reserved_nothing_has_given_up_comes_back(cloud: Cloud) -> None:
    """It was waited for without end, and no move was accepted meanwhile."""
    server = _with_a_volume(cloud)
    home, other = _sides(cloud, server)
    _migrating(cloud, server, home, "post_live_migration")
    cloud.volumes.plan.add(FaultRule("POST /attachments", FaultKind.RAISE))
    _reset(cloud, server)
    until(lambda: instances.get(server["id"]).host == other, 20, lambda: "the row does not follow")
    assert cloud.act(server["id"], "rebuild", {"imageRef": server["image"]["id"]}).status == 202
    cloud.wait(server["id"], "ERROR")
    cloud.volumes.plan.clear()
    assert cloud.act(server["id"], "reboot", {"type": "HARD"}).status == 202
    cloud.wait(server["id"], "ACTIVE")
    _settled(server)
    (device,) = (each for each in instances.get(server["id"]).block_devices if each.is_volume)
    assert device.host == other and device.connection
    cloud.wait_quiet()
    assert cloud.act(server["id"], "migrate", None, token=ADMIN).status == 202
