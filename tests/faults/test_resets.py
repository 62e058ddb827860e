"""An administrator resets a server in the middle of a build or a cold move, and the host that was at it is dead.

Nobody else knew what it had made, or taken over, at the network and volume services.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from oslo_config import cfg

from nova_lite import concurrency, liveness
from nova_lite.compute.action_row import Backoff
from nova_lite.db.api import instances
from tests.harness.cloud import ADMIN, CTXT, IMAGE_ID, Cloud, until

SOURCE, DEST = "host1", "host2"


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    with Cloud(tmp_path_factory.mktemp("cloud"), hosts=2) as running:
        yield running


@pytest.fixture
def cloud(shared: Cloud, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    monkeypatch.setattr(Backoff, "rest_s", lambda *_: 0.1)
    yield shared
    shared.make_well(SOURCE, DEST)


def _dies_in(cloud: Cloud, host: str, call: str, server: str) -> None:
    until(lambda: (call, server) in cloud.drivers[host].plan.calls, 10, lambda: f"{call} never began")
    cloud.kill(host)
    cloud.drivers.pop(host)  # nobody sees what it has


def _reset(cloud: Cloud, server: str) -> None:
    assert cloud.act(server, "os-resetState", {"state": "active"}, token=ADMIN).status == 202


def test_a_build_that_is_reset_gives_back_what_its_dead_host_made(cloud: Cloud) -> None:
    volume = cloud.volumes.make(CTXT)
    disks = [
        {"uuid": IMAGE_ID, "source_type": "image", "destination_type": "local", "boot_index": 0},
        {"uuid": volume, "source_type": "volume", "destination_type": "volume", "boot_index": -1},
    ]
    cloud.drivers[SOURCE].plan.delay("spawn", 1.0)
    server = cloud.boot(
        wait=None, token=ADMIN, availability_zone=f"nova:{SOURCE}", block_device_mapping_v2=disks
    )["id"]  # fmt: skip
    _dies_in(cloud, SOURCE, "spawn", server)
    _reset(cloud, server)
    until(lambda: not cloud.networks.ports_of(server), 10, lambda: f"ports: {cloud.networks.ports_of(server)}")
    until(lambda: cloud.volumes.show(volume)["status"] == "reserved", 10, lambda: "its volume is on the host")
    cloud.wait_quiet()
    row = instances.get(server)
    assert (row.vm_state, row.task_state, row.host, row.network_info) == ("active", None, None, ())
    driver = cloud.start_host(SOURCE)
    until(lambda: server not in driver.guests, 10, lambda: "its guest runs")
    cloud.wait_quiet()


def test_a_cold_move_that_is_reset_has_all_that_is_bound_at_its_source(cloud: Cloud) -> None:
    volume = cloud.volumes.make(CTXT)
    server = cloud.boot(token=ADMIN, availability_zone=f"nova:{SOURCE}")["id"]
    body = {"volumeAttachment": {"volumeId": volume}}
    assert cloud.post(f"/servers/{server}/os-volume_attachments", body).status == 202
    cloud.wait_quiet()
    cloud.drivers[DEST].plan.delay("finish_migration", 1.0)
    assert cloud.act(server, "resize", {"flavorRef": "1"}).status == 202
    _dies_in(cloud, DEST, "finish_migration", server)
    _reset(cloud, server)
    cloud.wait_quiet()
    row = instances.get(server)
    (device,) = [each for each in row.block_devices if each.is_volume]
    assert (row.host, device.host, bool(device.connection)) == (SOURCE, SOURCE, True)
    assert {port["binding:host_id"] for port in cloud.networks.ports_of(server)} == {SOURCE}
    cloud.start_host(DEST)
    cloud.wait_quiet()
    cloud.wait(server, "SHUTOFF")
    assert cloud.act(server, "os-start").status == 202, "its guest was set aside, and is there again"
    cloud.wait(server, "ACTIVE")


@pytest.mark.parametrize("offload", [0, -1])
def test_what_is_on_the_shelf_stays_there(cloud: Cloud, offload: int) -> None:
    """Declared active it would run nowhere; and nothing that needs a host may begin without one."""
    cfg.CONF.set_override("shelved_offload_time", offload)
    server = cloud.boot()["id"]
    shelved = "SHELVED_OFFLOADED" if offload == 0 else "SHELVED"
    try:
        assert cloud.act(server, "shelve").status == 202
        cloud.wait(server, shelved)
        _reset(cloud, server)
        cloud.wait(server, shelved)
        assert cloud.act(server, "migrate", token=ADMIN).status == 409
        assert cloud.act(server, "unshelve").status == 202
        cloud.wait(server, "ACTIVE")
    finally:
        cfg.CONF.clear_override("shelved_offload_time")
    cloud.wait_quiet()


def test_an_unshelving_whose_host_died_leaves_nothing_bound_there(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    buried = concurrency.Event()
    server = cloud.boot(token=ADMIN, availability_zone=f"nova:{DEST}")["id"]
    assert cloud.act(server, "shelve").status == 202
    cloud.wait(server, "SHELVED_OFFLOADED")
    cloud.kill(DEST)
    # Who is dead takes nothing back; a thread here would, as soon as it comes out of the call.
    monkeypatch.setattr(cloud.drivers[SOURCE].plan, "_sleep", lambda _: buried.wait(30))
    cloud.drivers[SOURCE].plan.delay("create_disks", 1.0)
    until(lambda: DEST in liveness.dead_hosts(cfg.CONF.operations.service_down_s), 20, lambda: "it lives")
    assert cloud.act(server, "unshelve").status == 202
    _dies_in(cloud, SOURCE, "create_disks", server)
    try:
        assert _bound(cloud, server) == {SOURCE}
        cloud.wait(server, "SHELVED_OFFLOADED", 30)
        until(lambda: not _bound(cloud, server), 10, lambda: f"bound to {_bound(cloud, server)}")
    finally:
        buried.set()
    cloud.wait_quiet()


def _bound(cloud: Cloud, server: str) -> set[str]:
    """The hosts that the server's ports are bound to."""
    return {port["binding:host_id"] for port in cloud.networks.ports_of(server)} - {"", None}


def test_a_live_migration_that_is_reset_before_its_guest_goes_holds_no_volume(cloud: Cloud) -> None:
    call = "pre_live_migration"
    server, volume = cloud.boot(availability_zone=f"nova:{SOURCE}", token=ADMIN)["id"], cloud.volumes.make(CTXT)
    body = {"volumeAttachment": {"volumeId": volume}}
    assert cloud.post(f"/servers/{server}/os-volume_attachments", body).status == 202
    until(lambda: cloud.volumes.show(volume)["status"] == "in-use", 10, lambda: "it never came")
    cloud.wait_quiet()
    cloud.drivers[DEST].plan.delay(call, 3.0)
    answer = cloud.act(server, "os-migrateLive", {"host": None, "block_migration": "auto"}, token=ADMIN)
    assert answer.status == 202
    _dies_in(cloud, DEST, call, server)
    _reset(cloud, server)
    cloud.revive(DEST)
    cloud.wait_quiet()
    (held,) = cloud.volumes.attachments_of(None, server)
    assert [held.id] == [device.attachment_id for device in instances.get(server).block_devices if device.is_volume]
