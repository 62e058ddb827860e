"""Servers with volumes that move: the volumes go along, or stay reserved while no host has the server."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from nova_lite.virt.fault_plan import FaultKind, FaultRule
from tests.harness.cloud import ADMIN, CTXT, IMAGE_ID, PROJECT, Cloud, until

ROOT = {
    "boot_index": 0, "uuid": IMAGE_ID, "source_type": "image", "destination_type": "volume", "volume_size": 1,
    "delete_on_termination": True,
}  # fmt: skip


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    with Cloud(tmp_path_factory.mktemp("cloud"), hosts=2) as running:
        yield running


@pytest.fixture(autouse=True)
def consistent(cloud: Cloud) -> Iterator[None]:
    """After each test the oracle finds nothing wrong: every connection is where its guest is."""
    yield
    cloud.volumes.plan.clear()
    for driver in cloud.drivers.values():
        driver.plan.clear()
    cloud.wait_quiet()


def boot(cloud: Cloud) -> tuple[str, str]:
    """A server with two volumes, and its host."""
    mine = {"uuid": cloud.volumes.make(CTXT), "source_type": "volume", "destination_type": "volume"}
    server = cloud.boot(imageRef="", flavorRef="1", block_device_mapping_v2=[ROOT, mine])
    return str(server["id"]), str(server["OS-EXT-SRV-ATTR:host"])


def volumes_of(cloud: Cloud, server: str) -> list[dict[str, Any]]:
    shown = cloud.show(server)
    assert shown is not None
    return [cloud.volumes.show(each["id"]) for each in shown["os-extended-volumes:volumes_attached"]]


def hosts_of(cloud: Cloud, server: str) -> set[str]:
    """Which hosts the volume service thinks have the server's volumes."""
    return {each["host_name"] for volume in volumes_of(cloud, server) for each in volume["attachments"]}


def host_of(cloud: Cloud, server: str) -> str:
    shown = cloud.show(server)
    assert shown is not None
    return str(shown["OS-EXT-SRV-ATTR:host"])


def act(cloud: Cloud, server: str, action: str, body: Any, status: str) -> None:
    answer = cloud.act(server, action, body, token=ADMIN)
    assert answer.status in (202, 204), answer.body
    cloud.wait(server, status)


def test_shelved_volumes_stay_the_servers(cloud: Cloud) -> None:
    server, _ = boot(cloud)
    act(cloud, server, "shelve", None, "SHELVED_OFFLOADED")
    assert {volume["status"] for volume in volumes_of(cloud, server)} == {"reserved"}
    more = cloud.volumes.make(CTXT)
    path = f"/servers/{server}/os-volume_attachments"
    body = {"volumeAttachment": {"volumeId": more}}
    assert cloud.post(path, body, version="2.19").status == 409
    assert cloud.post(path, body, version="2.20").status == 200
    until(lambda: cloud.volumes.show(more)["status"] == "in-use", 10, lambda: "it is not attached")
    act(cloud, server, "unshelve", None, "ACTIVE")
    assert hosts_of(cloud, server) == {host_of(cloud, server)}
    assert len(volumes_of(cloud, server)) == 3
    act(cloud, server, "shelve", None, "SHELVED_OFFLOADED")
    assert cloud.delete(f"{path}/{more}", version="2.19").status == 409
    assert cloud.delete(f"{path}/{more}").status == 202
    until(lambda: cloud.volumes.show(more)["status"] == "available", 10, lambda: "it is not given back")


@pytest.mark.parametrize("call", ["spawn", "PUT /attachments"])
def test_a_failed_unshelve_keeps_the_reservations(cloud: Cloud, call: str) -> None:
    server, _ = boot(cloud)
    act(cloud, server, "shelve", None, "SHELVED_OFFLOADED")
    plans = [cloud.volumes.plan] if "/" in call else [driver.plan for driver in cloud.drivers.values()]
    for plan in plans:
        plan.add(FaultRule(call, FaultKind.RAISE, times=2 if "/" in call else 1))
    assert cloud.act(server, "unshelve", None, token=ADMIN).status == 202
    cloud.wait(server, "SHELVED_OFFLOADED")
    assert {volume["status"] for volume in volumes_of(cloud, server)} == {"reserved"}


def test_a_resize_takes_the_volumes_along_and_back(cloud: Cloud) -> None:
    server, source = boot(cloud)
    act(cloud, server, "migrate", None, "VERIFY_RESIZE")
    assert hosts_of(cloud, server) == {host_of(cloud, server)} != {source}
    act(cloud, server, "revertResize", None, "ACTIVE")
    assert hosts_of(cloud, server) == {source}
    act(cloud, server, "migrate", None, "VERIFY_RESIZE")
    cloud.act(server, "confirmResize", token=ADMIN)
    cloud.wait(server, "ACTIVE")
    assert hosts_of(cloud, server) == {host_of(cloud, server)} != {source}


@pytest.mark.parametrize("call", ["finish_migration", "PUT /attachments"])
def test_a_failed_migration_leaves_the_volumes_where_they_were(cloud: Cloud, call: str) -> None:
    server, source = boot(cloud)
    plans = [cloud.volumes.plan] if "/" in call else [driver.plan for driver in cloud.drivers.values()]
    for plan in plans:
        plan.add(FaultRule(call, FaultKind.RAISE, times=2 if "/" in call else 1))
    assert cloud.act(server, "migrate", None, token=ADMIN).status == 202
    cloud.wait(server, "ACTIVE")
    assert (host_of(cloud, server), hosts_of(cloud, server)) == (source, {source})


def test_a_live_migration_takes_the_volumes_along(cloud: Cloud) -> None:
    server, source = boot(cloud)
    act(cloud, server, "os-migrateLive", {"host": None, "block_migration": "auto"}, "ACTIVE")
    until(lambda: host_of(cloud, server) != source, 10, lambda: "it did not move")
    assert hosts_of(cloud, server) == {host_of(cloud, server)}


@pytest.mark.parametrize("call", ["live_migrate", "pre_live_migration", "POST /attachments"])
def test_a_failed_live_migration_leaves_the_volumes_where_they_were(cloud: Cloud, call: str) -> None:
    server, source = boot(cloud)
    plans = [cloud.volumes.plan] if "/" in call else [driver.plan for driver in cloud.drivers.values()]
    for plan in plans:
        plan.add(FaultRule(call, FaultKind.RAISE, times=1))
    body = {"host": None, "block_migration": "auto"}
    assert cloud.act(server, "os-migrateLive", body, token=ADMIN).status == 202
    cloud.wait(server, "ACTIVE")
    assert (host_of(cloud, server), hosts_of(cloud, server)) == (source, {source})


def test_a_rebuild_and_a_rescue_keep_the_volumes(cloud: Cloud) -> None:
    server = str(cloud.boot()["id"])
    volume = cloud.volumes.make(CTXT)
    body = {"volumeAttachment": {"volumeId": volume}}
    assert cloud.post(f"/servers/{server}/os-volume_attachments", body).status in (200, 202)
    until(lambda: cloud.volumes.show(volume)["status"] == "in-use", 10, lambda: "not attached")
    act(cloud, server, "rebuild", {"imageRef": IMAGE_ID}, "ACTIVE")
    assert cloud.act(server, "rescue", None, token=ADMIN).status == 200
    cloud.wait(server, "RESCUE")
    act(cloud, server, "unrescue", None, "ACTIVE")
    assert hosts_of(cloud, server) == {host_of(cloud, server)}


def test_an_evacuation_takes_the_volumes_along(cloud: Cloud) -> None:
    server, source = boot(cloud)
    cloud.kill(source)
    down = f"admin:{PROJECT}"

    def is_down() -> bool:
        services = cloud.get("/os-services", token=down).json["services"]
        return any(each["host"] == source and each["state"] == "down" for each in services)

    until(is_down, 20, lambda: "it never went down")
    assert cloud.act(server, "evacuate", {}, token=ADMIN).status == 200
    until(lambda: host_of(cloud, server) != source, 20, lambda: "it was not evacuated")
    cloud.wait(server, "SHUTOFF")
    assert hosts_of(cloud, server) == {host_of(cloud, server)}
    cloud.start_host(source)
