"""What a host that is given up was at with volumes and interfaces: its half done work stands in nobody's way, and what
comes of it late takes nothing from the new host."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from nova_lite import concurrency
from nova_lite.db.api import instances, operations, services
from nova_lite.liveness import COMPUTE
from nova_lite.objects import OperationState
from tests.harness.cloud import ADMIN, CTXT, Cloud, until


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    with Cloud(tmp_path_factory.mktemp("cloud"), hosts=2) as running:
        yield running


@pytest.fixture
def cloud(shared: Cloud) -> Iterator[Cloud]:
    yield shared
    services.set_forced_down(services.get_by_host("host1", COMPUTE).uuid, False)
    shared.make_well("host1", "host2")


class _Stuck:
    """A call to host1's hypervisor that does not come back before it is let go."""

    def __init__(self, cloud: Cloud, call: str) -> None:
        self._driver, self._call = cloud.drivers["host1"], call
        self._real = getattr(self._driver, call)
        self.begun, self.over, self._let_go = False, False, False
        setattr(self._driver, call, self._wait)

    def _wait(self, *args: object) -> None:
        self.begun = True
        until(lambda: self._let_go, 60, lambda: "nobody lets it go")
        try:
            self._real(*args)
        finally:
            self.over = True

    def comes_back(self) -> None:
        """And its worker has heard, and done, what it must."""
        self._let_go = True
        vars(self._driver).pop(self._call)
        until(lambda: self.over, 10, lambda: "it never came back")


def _evacuate(cloud: Cloud, server: str) -> None:
    cloud.set_host("host1", forced_down=True)
    assert cloud.act(server, "evacuate", {}, token=ADMIN).status == 200
    cloud.wait(server, "SHUTOFF")
    assert instances.get(server).host == "host2"


def _attach(cloud: Cloud, server: str, volume: str) -> None:
    body = {"volumeAttachment": {"volumeId": volume}}
    assert cloud.post(f"/servers/{server}/os-volume_attachments", body).status == 202


def test_a_volume_that_an_evacuation_took_along_stays_with_it(cloud: Cloud) -> None:
    server, volume = cloud.boot(availability_zone="nova:host1", token=ADMIN)["id"], cloud.volumes.make(CTXT)
    stuck = _Stuck(cloud, "attach_volume")
    _attach(cloud, server, volume)
    until(lambda: stuck.begun, 10, lambda: "the attach never began")
    _evacuate(cloud, server)
    stuck.comes_back()
    cloud.wait_quiet()
    (attach,) = (each for each in operations.list_for_instance(server) if each.action == "attach_volume")
    assert (attach.state, attach.host) == (OperationState.DONE, "host2")
    assert [*cloud.drivers["host2"].guests[server].volumes] == [volume]
    assert cloud.volumes.show(volume)["status"] == "in-use"


def test_a_port_that_an_evacuation_took_along_stays_with_it(cloud: Cloud) -> None:
    server = cloud.boot(availability_zone="nova:host1", token=ADMIN)["id"]
    stuck = _Stuck(cloud, "attach_interface")
    answer = concurrency.spawn(lambda: cloud.post(f"/servers/{server}/os-interface", {}))
    until(lambda: stuck.begun, 10, lambda: "the attach never began")
    _evacuate(cloud, server)
    stuck.comes_back()
    assert answer.wait(30).status == 200
    cloud.wait_quiet()
    ports = {port["id"] for port in cloud.networks.ports_of(server)}
    assert len(ports) == 2 and {vif.id for vif in instances.get(server).network_info} == ports
    assert set(cloud.drivers["host2"].guests[server].cards) == ports


def test_a_volume_that_is_half_attached_is_nobody_elses_while_its_server_is_evacuated(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    server, volume = cloud.boot(availability_zone="nova:host1", token=ADMIN)["id"], cloud.volumes.make(CTXT)
    stuck = _Stuck(cloud, "attach_volume")
    _attach(cloud, server, volume)
    until(lambda: stuck.begun, 10, lambda: "the attach never began")
    seen, give_up = [], cloud.volumes.attachment_delete

    def watched(*args: Any) -> None:
        give_up(*args)
        seen.append(cloud.volumes.show(volume)["status"])

    monkeypatch.setattr(cloud.volumes, "attachment_delete", watched)
    _evacuate(cloud, server)
    stuck.comes_back()
    cloud.wait_quiet()
    assert seen and "available" not in seen


def test_a_server_that_was_to_lose_a_volume_on_its_dead_host_is_evacuated_with_it(cloud: Cloud) -> None:
    server, volume = cloud.boot(availability_zone="nova:host1", token=ADMIN)["id"], cloud.volumes.make(CTXT)
    _attach(cloud, server, volume)
    until(lambda: cloud.volumes.show(volume)["status"] == "in-use", 10, lambda: "it never came")
    cloud.wait_quiet()
    cloud.kill("host1")
    assert cloud.delete(f"/servers/{server}/os-volume_attachments/{volume}").status == 202
    assert cloud.volumes.show(volume)["status"] == "detaching"
    _evacuate(cloud, server)
    assert cloud.volumes.show(volume)["status"] == "in-use"
    assert [*cloud.drivers["host2"].guests[server].volumes] == [volume]


def test_a_host_that_is_back_binds_nothing_of_a_server_that_is_shelved_meanwhile(cloud: Cloud) -> None:
    server = cloud.boot(availability_zone="nova:host1", token=ADMIN)["id"]
    stuck = _Stuck(cloud, "delete_disks")
    _evacuate(cloud, server)
    services.set_forced_down(services.get_by_host("host1", COMPUTE).uuid, False)
    until(lambda: stuck.begun, 10, lambda: "it never began to remove what is stale")
    assert cloud.act(server, "shelve").status == 202
    cloud.wait(server, "SHELVED_OFFLOADED")
    stuck.comes_back()
    cloud.wait_quiet()
    assert [port["binding:host_id"] for port in cloud.networks.ports_of(server)] == [""]
