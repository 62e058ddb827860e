"""Shelved servers whose host is down: they come back from their images, and never without what was on their disks."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any
from unittest import mock

import pytest
from oslo_config import cfg

from nova_lite import liveness
from nova_lite.compute.action_row import Backoff
from nova_lite.db.api import instances, operations
from tests.harness.cloud import ADMIN, CTXT, Cloud, until

HOME, OTHER = "host1", "host2"


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    options = {"DEFAULT": {"shelved_offload_time": -1}}
    with Cloud(tmp_path_factory.mktemp("cloud"), hosts=2, options=options) as running:
        yield running


@pytest.fixture
def cloud(shared: Cloud, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    monkeypatch.setattr(Backoff, "rest_s", lambda *_: 0.1)
    yield shared
    shared.make_well(HOME, OTHER)


def _shelved(cloud: Cloud) -> str:
    server = str(cloud.boot(token=ADMIN, availability_zone=f"nova:{HOME}")["id"])
    volume = cloud.volumes.make(CTXT)
    body = {"volumeAttachment": {"volumeId": volume}}
    assert cloud.post(f"/servers/{server}/os-volume_attachments", body).status == 202
    cloud.wait_quiet()
    assert cloud.act(server, "shelve").status == 202
    cloud.wait(server, "SHELVED")
    cloud.wait_quiet()
    return server


def _dies(cloud: Cloud) -> None:
    cloud.kill(HOME)
    until(lambda: HOME in liveness.dead_hosts(cfg.CONF.operations.service_down_s), 20, lambda: "it lives")


def _reset(cloud: Cloud, server: str, state: str) -> None:
    assert cloud.act(server, "os-resetState", {"state": state}, token=ADMIN).status == 202


def test_a_shelved_server_leaves_its_dead_host_and_is_not_built_anew(cloud: Cloud) -> None:
    """Evacuated it was made of the image it was once made of, and unshelved then, the one of its disk was removed."""
    server = _shelved(cloud)
    image = instances.get(server).system_metadata["shelved_image_id"]
    _dies(cloud)
    _reset(cloud, server, "error")
    refused = cloud.act(server, "evacuate", {}, token=ADMIN)
    assert refused.status == 409 and f"its disk is in image {image}" in refused.json["conflictingRequest"]["message"]
    _reset(cloud, server, "active")
    cloud.wait(server, "SHELVED")
    assert cloud.act(server, "shelveOffload", token=ADMIN).status == 202
    cloud.wait(server, "SHELVED_OFFLOADED")
    until(lambda: not operations.open_for_instance(server), 10, lambda: "what is bound there stays")
    assert not {port["binding:host_id"] for port in cloud.networks.ports_of(server)} & {HOME, OTHER}
    assert cloud.act(server, "unshelve").status == 202
    cloud.wait(server, "ACTIVE")
    assert (instances.get(server).host, cloud.drivers[OTHER].roots[server]) == (OTHER, image)
    driver = cloud.start_host(HOME)
    until(lambda: server not in driver.disks | driver.guests.keys(), 10, lambda: "what it had is still there")
    cloud.wait_quiet()


def test_a_server_that_is_shelved_and_comes_back_has_its_volumes_at_home(cloud: Cloud) -> None:
    """As the audit advises where a server's volumes are connected to another host than its own."""
    server = _shelved(cloud)
    assert cloud.act(server, "unshelve").status == 202
    cloud.wait(server, "ACTIVE")
    cloud.wait_quiet()
    elsewhere = [device.replace(host=OTHER) for device in instances.get(server).block_devices]
    instances.update_if(server, {"block_devices": tuple(elsewhere)})
    assert any("connected to" in each for each in cloud.violations())
    assert cloud.act(server, "shelve").status == 202
    cloud.wait(server, "SHELVED")
    assert cloud.act(server, "shelveOffload", token=ADMIN).status == 202
    cloud.wait(server, "SHELVED_OFFLOADED")
    cloud.wait_quiet()
    assert cloud.act(server, "unshelve").status == 202
    cloud.wait(server, "ACTIVE")
    cloud.wait_quiet()


def test_a_server_comes_off_the_shelf_without_the_volume_that_is_just_being_taken_out(cloud: Cloud) -> None:
    """Its new host had connected the volume when a conductor gave up all that held it: it was anybody's meanwhile."""
    server = _shelved(cloud)
    assert cloud.act(server, "shelveOffload", token=ADMIN).status == 202
    cloud.wait(server, "SHELVED_OFFLOADED")
    cloud.wait_quiet()
    (device,) = (each for each in instances.get(server).block_devices if each.is_volume)
    looked, ask = threading.Event(), cloud.volumes.attachments_of
    going = threading.Event()

    def slow(*args: Any) -> Any:
        looked.set()
        going.wait(20)
        return ask(*args)

    with mock.patch.object(cloud.volumes, "attachments_of", slow):
        assert cloud.delete(f"/servers/{server}/os-volume_attachments/{device.volume_id}").status == 202
        assert looked.wait(10)
        assert cloud.act(server, "unshelve").status == 202
        until(lambda: any(each.rests for each in operations.open_for_instance(server)), 10, lambda: "it did not wait")
        going.set()
    cloud.wait(server, "ACTIVE")
    cloud.wait_quiet()
    assert not instances.get(server).block_devices and ask(None, server) == []
    assert cloud.volumes.show(device.volume_id)["status"] == "available"


def test_a_shelved_server_whose_image_is_gone_stays_with_its_dead_host(cloud: Cloud) -> None:
    server = _shelved(cloud)
    cloud.images.delete(None, str(instances.get(server).system_metadata["shelved_image_id"]))
    _dies(cloud)
    assert cloud.act(server, "shelveOffload", token=ADMIN).status == 202
    until(lambda: not operations.open_for_instance(server), 10, lambda: "it waits for ever")
    assert "only whole copy" in str(operations.list_for_instance(server)[0].message)
    assert (instances.get(server).vm_state, instances.get(server).host) == ("shelved", HOME)
    cloud.start_host(HOME)
    assert cloud.act(server, "unshelve").status == 202
    cloud.wait(server, "ACTIVE")
    assert instances.get(server).host == HOME
    cloud.wait_quiet()
