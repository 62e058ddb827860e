"""Hosts killed while they attach, detach and build with volumes; a volume service that refuses, stalls or fails."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from nova_lite.virt.fault_plan import FaultKind, FaultRule
from tests.harness.cloud import ADMIN, CTXT, IMAGE_ID, PROJECT, Cloud, until

OTHER_IMAGE = "155d900f-4e14-4e4c-a73d-069cbf4541e6"
ROOT = {
    "boot_index": 0, "uuid": IMAGE_ID, "source_type": "image", "destination_type": "volume", "volume_size": 1,
    "delete_on_termination": True,
}  # fmt: skip


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    with Cloud(tmp_path_factory.mktemp("cloud"), hosts=2) as running:
        yield running


@pytest.fixture(autouse=True)
def mended(cloud: Cloud) -> Iterator[None]:
    """After each test everybody lives again, and the oracle finds nothing wrong."""
    yield
    cloud.volumes.plan.clear()
    for name, driver in cloud.drivers.items():
        driver.plan.clear()
        vars(driver).pop("capabilities", None)
        assert name in ("host1", "host2")
    for name in ("host1", "host2"):
        if name not in cloud.services:
            cloud.start_host(name)
    cloud.wait_quiet(60)


def kept(cloud: Cloud) -> set[str]:
    """All volumes there are."""
    return {row["id"] for row in cloud.volumes.rows("/volumes", "volumes")}


def path(server: str, volume: str = "") -> str:
    return f"/servers/{server}/os-volume_attachments" + (f"/{volume}" if volume else "")


def attach(cloud: Cloud, server: str, volume: str) -> None:
    answer = cloud.post(path(server), {"volumeAttachment": {"volumeId": volume}})
    assert answer.status == 202, answer.body


def wait(cloud: Cloud, volume: str, *statuses: str) -> None:
    def status() -> str:
        return str(cloud.volumes.show(volume)["status"])

    until(lambda: status() in statuses, 20, lambda: f"volume {volume} is {status()}, not {statuses}")


def home(cloud: Cloud, server: dict[str, Any]) -> str:
    return str(server["OS-EXT-SRV-ATTR:host"])


def began(cloud: Cloud, host: str, call: str, server: str) -> None:
    plan = cloud.drivers[host].plan
    until(lambda: (call, server) in plan.calls, 10, lambda: f"{call} never began")


def gone(cloud: Cloud, server: str) -> None:
    cloud.delete(f"/servers/{server}")
    cloud.wait_gone(server, 60)
    cloud.wait_quiet(60)


@pytest.mark.parametrize("call", ["attach_volume", "detach_volume"])
def test_a_killed_host_goes_on_when_it_is_back(cloud: Cloud, call: str) -> None:
    server, volume = cloud.boot(), cloud.volumes.make(CTXT)
    host = home(cloud, server)
    if call == "detach_volume":
        attach(cloud, server["id"], volume)
        wait(cloud, volume, "in-use")
        cloud.wait_quiet()
    cloud.drivers[host].plan.delay(call, 0.5)
    if call == "attach_volume":
        attach(cloud, server["id"], volume)
    else:
        assert cloud.delete(path(server["id"], volume)).status == 202
    began(cloud, host, call, server["id"])
    cloud.kill(host)
    cloud.start_host(host)
    wait(cloud, volume, "in-use" if call == "attach_volume" else "available")
    cloud.wait_quiet()
    gone(cloud, server["id"])


@pytest.mark.parametrize("call", ["create_disks", "spawn"])
def test_a_host_killed_in_a_build_with_volumes_goes_on(cloud: Cloud, call: str) -> None:
    cloud.stop("host2")
    cloud.drivers["host1"].plan.delay(call, 0.5)
    volume = cloud.volumes.make(CTXT)
    mine = {"uuid": volume, "source_type": "volume", "destination_type": "volume"}
    server = cloud.boot(wait=None, imageRef="", block_device_mapping_v2=[ROOT, mine])
    began(cloud, "host1", call, server["id"])
    cloud.kill("host1")
    cloud.start_host("host1")
    cloud.wait(server["id"], "ACTIVE")
    cloud.wait_quiet()
    gone(cloud, server["id"])
    wait(cloud, volume, "available")


def test_a_build_of_a_dead_host_takes_its_volumes_to_another(cloud: Cloud) -> None:
    for driver in cloud.drivers.values():
        driver.plan.delay("spawn", 0.5)
    server = cloud.boot(wait=None, imageRef="", block_device_mapping_v2=[ROOT])

    def builder() -> str | None:
        begun = (name for name, driver in cloud.drivers.items() if ("spawn", server["id"]) in driver.plan.calls)
        return next(begun, None)

    first = until(builder, 10, lambda: "the build never began")
    cloud.kill(first)
    cloud.drivers.pop(first)
    shown = cloud.wait(server["id"], "ACTIVE", 60)
    assert home(cloud, shown) != first
    (volume,) = (each["id"] for each in shown["os-extended-volumes:volumes_attached"])
    holds = cloud.volumes.show(volume)["attachments"]
    assert [hold["host_name"] for hold in holds] == [home(cloud, shown)]
    cloud.wait_quiet()


@pytest.mark.parametrize("request_", ["PUT /attachments", "POST /attachments", "GET /attachments"])
def test_a_volume_service_that_fails_in_a_build(cloud: Cloud, request_: str) -> None:
    """The build fails or goes to the other host; nothing is held in the end."""
    before = kept(cloud)
    cloud.volumes.plan.add(FaultRule(request_, FaultKind.RAISE, times=2))
    server = cloud.boot(wait=None, imageRef="", block_device_mapping_v2=[ROOT])
    shown = until(
        lambda: next((s for s in [cloud.show(server["id"])] if s and s["status"] in ("ACTIVE", "ERROR")), None),
        30, lambda: f"neither: {cloud.show(server['id'])}",
    )  # fmt: skip
    assert shown["status"] == "ACTIVE" or shown["fault"]
    cloud.wait_quiet()
    gone(cloud, server["id"])
    assert kept(cloud) == before


@pytest.mark.parametrize(
    "request_", ["GET /attachments", "DELETE /attachments", "POST /attachments", "PUT /attachments"]
)
def test_a_volume_service_that_fails_once_in_a_rebuild(cloud: Cloud, request_: str) -> None:
    """The rebuild goes on, or fails; either way the server knows what it holds (the client tries twice)."""
    cloud.images.images[OTHER_IMAGE] = cloud.images.images[IMAGE_ID].replace(id=OTHER_IMAGE, name="other")
    server = cloud.boot(imageRef="", block_device_mapping_v2=[ROOT])["id"]
    cloud.volumes.plan.add(FaultRule(request_, FaultKind.RAISE, times=2))
    answer = cloud.act(server, "rebuild", {"imageRef": OTHER_IMAGE})
    assert answer.status == 202, answer.body
    shown = until(
        lambda: next((s for s in [cloud.show(server)] if s and s["status"] in ("ACTIVE", "ERROR")), None),
        30, lambda: f"neither: {cloud.show(server)}",
    )  # fmt: skip
    assert shown["status"] == "ACTIVE" or shown["fault"]
    cloud.wait_quiet()
    (volume,) = (each["id"] for each in shown["os-extended-volumes:volumes_attached"])
    assert [hold["server_id"] for hold in cloud.volumes.show(volume)["attachments"]] in ([server], [])
    gone(cloud, server)


@pytest.mark.parametrize("request_", ["PUT /attachments", "POST /attachments"])
def test_an_attach_that_the_volume_service_fails(cloud: Cloud, request_: str) -> None:
    server, volume = cloud.boot(), cloud.volumes.make(CTXT)
    times = {"PUT /attachments": 2, "POST /attachments": 1}[request_]
    cloud.volumes.plan.add(FaultRule(request_, FaultKind.RAISE, times=times))
    answer = cloud.post(path(server["id"]), {"volumeAttachment": {"volumeId": volume}})
    assert answer.status == (503 if request_.startswith("POST") else 202)
    wait(cloud, volume, "available")
    cloud.wait_quiet()
    assert cloud.get(path(server["id"])).json == {"volumeAttachments": []}


def test_a_detach_ends_when_the_volume_service_is_back(cloud: Cloud) -> None:
    server, volume = cloud.boot(), cloud.volumes.make(CTXT)
    attach(cloud, server["id"], volume)
    wait(cloud, volume, "in-use")
    cloud.wait_quiet()
    cloud.volumes.plan.add(FaultRule("DELETE /attachments", FaultKind.RAISE, times=2))
    assert cloud.delete(path(server["id"], volume)).status == 202
    wait(cloud, volume, "available")
    cloud.wait_quiet()


def test_a_delete_ends_when_the_volume_service_is_back(cloud: Cloud) -> None:
    before = kept(cloud)
    server = cloud.boot(imageRef="", block_device_mapping_v2=[ROOT])
    cloud.volumes.plan.add(FaultRule("GET /attachments", FaultKind.RAISE, times=2))
    gone(cloud, server["id"])
    assert kept(cloud) == before


def test_a_delete_in_the_middle_of_an_attach(cloud: Cloud) -> None:
    server, volume = cloud.boot(), cloud.volumes.make(CTXT)
    cloud.drivers[home(cloud, server)].plan.delay("attach_volume", 0.5)
    attach(cloud, server["id"], volume)
    began(cloud, home(cloud, server), "attach_volume", server["id"])
    gone(cloud, server["id"])
    wait(cloud, volume, "available")


@pytest.mark.parametrize(
    ("action", "body", "status"),
    [
        ("reboot", {"type": "HARD"}, "ACTIVE"),
        ("rescue", {}, "RESCUE"),
        ("os-resetState", {"state": "active"}, "ACTIVE"),
    ],
)
def test_what_comes_during_an_attach_does_not_lose_its_volume(
    cloud: Cloud, action: str, body: dict[str, Any], status: str
) -> None:
    server, volume = cloud.boot(), cloud.volumes.make(CTXT)
    cloud.drivers[home(cloud, server)].plan.delay("attach_volume", 0.5)
    attach(cloud, server["id"], volume)
    began(cloud, home(cloud, server), "attach_volume", server["id"])
    assert cloud.act(server["id"], action, body, token=ADMIN).status in (200, 202)
    wait(cloud, volume, "in-use")
    cloud.wait(server["id"], status)
    assert set(cloud.drivers[home(cloud, server)].guests[server["id"]].volumes) == {volume}
    gone(cloud, server["id"])


def test_a_server_of_a_dead_host_gives_its_volumes_back(cloud: Cloud) -> None:
    before = kept(cloud)
    server = cloud.boot(imageRef="", block_device_mapping_v2=[ROOT])
    host = home(cloud, server)
    cloud.kill(host)
    until(lambda: _is_down(cloud, host), 20, lambda: "it never went down")
    cloud.delete(f"/servers/{server['id']}")
    cloud.wait_gone(server["id"], 60)
    assert kept(cloud) == before
    cloud.start_host(host)
    cloud.wait_quiet(60)


def _is_down(cloud: Cloud, host: str) -> bool:
    services = cloud.get("/os-services", token=f"admin:{PROJECT}").json["services"]
    return any(each["host"] == host and each["state"] == "down" for each in services)


def _swap(cloud: Cloud, server: str, old: str, new: str) -> None:
    body = {"volumeAttachment": {"volumeId": new}}
    assert cloud.request("PUT", path(server, old), body, token=ADMIN).status == 202


def test_a_host_killed_in_a_swap_goes_on_when_it_is_back(cloud: Cloud) -> None:
    server, old, new = cloud.boot(), cloud.volumes.make(CTXT), cloud.volumes.make(CTXT)
    host = home(cloud, server)
    attach(cloud, server["id"], old)
    wait(cloud, old, "in-use")
    cloud.wait_quiet()
    cloud.drivers[host].plan.delay("swap_volume", 0.5)
    _swap(cloud, server["id"], old, new)
    began(cloud, host, "swap_volume", server["id"])
    cloud.kill(host)
    cloud.start_host(host)
    wait(cloud, new, "in-use")
    wait(cloud, old, "available")
    cloud.wait_quiet()


@pytest.mark.parametrize("call", ["swap_volume", "PUT /attachments"])
def test_a_failed_swap_leaves_the_old_volume(cloud: Cloud, call: str) -> None:
    server, old, new = cloud.boot(), cloud.volumes.make(CTXT), cloud.volumes.make(CTXT)
    attach(cloud, server["id"], old)
    wait(cloud, old, "in-use")
    cloud.wait_quiet()
    plan = cloud.volumes.plan if "/" in call else cloud.drivers[home(cloud, server)].plan
    plan.add(FaultRule(call, FaultKind.RAISE, times=2 if "/" in call else 1))
    _swap(cloud, server["id"], old, new)
    wait(cloud, new, "available")
    wait(cloud, old, "in-use")
    cloud.wait_quiet()
    (row,) = cloud.get(path(server["id"])).json["volumeAttachments"]
    assert row["volumeId"] == old


def test_a_conductor_killed_in_an_attach_is_not_missed(cloud: Cloud) -> None:
    server, volume = cloud.boot(), cloud.volumes.make(CTXT)
    host = home(cloud, server)
    cloud.drivers[host].plan.delay("attach_volume", 0.5)
    attach(cloud, server["id"], volume)
    began(cloud, host, "attach_volume", server["id"])
    cloud.kill("conductor")
    cloud.start_conductor("conductor2")
    wait(cloud, volume, "in-use")
    cloud.wait_quiet(60)


def test_a_hypervisor_that_takes_no_volumes_says_so(cloud: Cloud) -> None:
    server, volume = cloud.boot(), cloud.volumes.make(CTXT)
    for driver in cloud.drivers.values():
        driver.capabilities = driver.capabilities - {"volumes"}
    attach(cloud, server["id"], volume)
    until(lambda: not cloud.get(path(server["id"])).json["volumeAttachments"], 10, lambda: "it stays")
    wait(cloud, volume, "available")
    failed = cloud.boot(wait="ERROR", imageRef="", block_device_mapping_v2=[ROOT])
    assert "No valid host" in failed["fault"]["message"] or "cannot attach volumes" in failed["fault"]["message"]
    assert cloud.show(server["id"])["status"] == "ACTIVE"  # type: ignore[index]
    cloud.wait_quiet()


def test_a_volume_that_is_detached_before_it_was_attached(cloud: Cloud) -> None:
    """Both wait for a host that is away; whichever it takes first when it is back, nothing is held in the end."""
    server, volume = cloud.boot(), cloud.volumes.make(CTXT)
    host = home(cloud, server)
    cloud.kill(host)
    attach(cloud, server["id"], volume)
    for _ in range(2):
        assert cloud.delete(path(server["id"], volume)).status == 202
    cloud.start_host(host)
    until(lambda: not cloud.get(path(server["id"])).json["volumeAttachments"], 20, lambda: "still there")
    wait(cloud, volume, "available")
    cloud.wait_quiet(60)
