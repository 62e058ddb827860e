"""Snapshots, rebuild, rescue and shelving when something breaks: at each step, in the middle, for good."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from nova_lite.compute.power_states import PowerState
from nova_lite.db.api import instances, operations
from nova_lite.objects import ImageMeta, OperationState
from nova_lite.virt.fault_plan import FaultKind, FaultRule
from tests.harness.cloud import ADMIN, IMAGE_ID, Cloud, until

OTHER_IMAGE = "155d900f-4e14-4e4c-a73d-069cbf4541e6"
SERVER = "OS-EXT-SRV-ATTR:host"
BACKUP = {"name": "b", "backup_type": "daily", "rotation": 1}


@pytest.fixture(scope="module")
def _running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    with Cloud(tmp_path_factory.mktemp("cloud"), hosts=2) as running:
        running.images.images[OTHER_IMAGE] = ImageMeta(
            id=OTHER_IMAGE, name="other", disk_format="raw", container_format="bare", size=1
        )
        yield running


@pytest.fixture
def cloud(_running: Cloud) -> Iterator[Cloud]:
    """One cloud for all: each test leaves it whole and empty."""
    yield _running
    for plan in (_running.images.plan, *(driver.plan for driver in _running.drivers.values())):
        plan.clear()
    _running.delete_servers()
    for image_id in set(_running.images.images) - {IMAGE_ID, OTHER_IMAGE}:
        _running.images.images.pop(image_id, None)
    for plan in (_running.images.plan, *(driver.plan for driver in _running.drivers.values())):
        plan.calls.clear()
    _running.wait_quiet()


def _newest(server_id: str) -> Any:
    return operations.list_for_instance(server_id)[0]


def _ended(cloud: Cloud, server_id: str) -> Callable[[], bool]:
    return lambda: _newest(server_id).finish_time is not None


def _shelve(cloud: Cloud, server: dict[str, Any]) -> None:
    assert cloud.act(server["id"], "shelve").status == 202
    cloud.wait(server["id"], "SHELVED_OFFLOADED")


def _images(cloud: Cloud) -> set[str | None]:
    return {image.name for image in [*cloud.images.images.values()]} - {"tiny", "other"}


# -- a step that fails --------------------------------------------------------------------------------

# action, its body, the driver's call that fails (None: the upload), what the server is afterwards
FAILURES = [
    ("createImage", {"name": "i"}, "snapshot", "ACTIVE"),
    ("createImage", {"name": "i"}, None, "ACTIVE"),
    ("createBackup", BACKUP, "snapshot", "ACTIVE"),
    ("createBackup", BACKUP, None, "ACTIVE"),
    ("shelve", None, "power_off", "ACTIVE"),
    ("shelve", None, "snapshot", "ACTIVE"),
    ("shelve", None, None, "ACTIVE"),
    ("rescue", None, "rescue", "ACTIVE"),
    ("rebuild", {"imageRef": OTHER_IMAGE}, "destroy", "ERROR"),
    ("rebuild", {"imageRef": OTHER_IMAGE}, "delete_disks", "ERROR"),
    ("rebuild", {"imageRef": OTHER_IMAGE}, "create_disks", "ERROR"),
    ("rebuild", {"imageRef": OTHER_IMAGE}, "spawn", "ERROR"),
]


@pytest.mark.parametrize(("action", "body", "call", "status"), FAILURES)
def test_a_step_that_fails_leaves_the_server_as_said_and_no_image(
    cloud: Cloud, action: str, body: Any, call: str | None, status: str
) -> None:
    server = cloud.boot()
    plan = cloud.images.plan if call is None else cloud.drivers[server[SERVER]].plan
    plan.add(FaultRule(call or "upload", FaultKind.RAISE, times=1))
    assert cloud.act(server["id"], action, body).status in (200, 202)
    until(_ended(cloud, server["id"]), 10, lambda: "it never ended")
    shown = cloud.wait(server["id"], status)
    failed = _newest(server["id"])
    assert failed.state == OperationState.FAILED and failed.message
    if status == "ERROR":
        assert shown["fault"]["message"]
        assert cloud.act(server["id"], "rebuild", {"imageRef": OTHER_IMAGE}).status == 202
        cloud.wait(server["id"], "ACTIVE")
    else:
        assert shown["OS-EXT-STS:power_state"] == PowerState.RUNNING
    cloud.wait_quiet()
    assert _images(cloud) == set()


def test_an_unrescue_that_fails_leaves_the_server_in_error_until_a_hard_reboot(cloud: Cloud) -> None:
    server = cloud.boot()
    driver = cloud.drivers[server[SERVER]]
    cloud.act(server["id"], "rescue", {"rescue_image_ref": OTHER_IMAGE})
    cloud.wait(server["id"], "RESCUE")
    driver.plan.add(FaultRule("unrescue", FaultKind.RAISE, times=1))
    assert cloud.act(server["id"], "unrescue").status == 202
    assert cloud.wait(server["id"], "ERROR")["fault"]["message"]
    cloud.wait_quiet()
    assert cloud.act(server["id"], "reboot", {"type": "HARD"}).status == 202
    cloud.wait(server["id"], "ACTIVE")
    assert driver.guests[server["id"]].rescue_image is None
    cloud.wait_quiet()


def test_a_hypervisor_that_cannot_do_it_says_so_and_changes_nothing(cloud: Cloud) -> None:
    server = cloud.boot()
    driver = cloud.drivers[server[SERVER]]
    driver.capabilities = driver.capabilities - {"snapshot", "rescue"}  # type: ignore[misc]
    before = len(driver.plan.calls)
    able = driver.capabilities | {"snapshot", "rescue"}
    for action, body in (("createImage", {"name": "i"}), ("createBackup", BACKUP), ("shelve", None), ("rescue", None)):
        assert cloud.act(server["id"], action, body).status in (200, 202)
        until(_ended(cloud, server["id"]), 10, lambda: "it never ended")
        assert f"cannot '{action}'" in _newest(server["id"]).message
        assert cloud.wait(server["id"], "ACTIVE")["OS-EXT-STS:power_state"] == PowerState.RUNNING
    cloud.wait_quiet()
    assert len(driver.plan.calls) == before and _images(cloud) == set()
    driver.capabilities = able  # type: ignore[misc]


@pytest.mark.parametrize("call", ["create_disks", "spawn"])
def test_an_unshelving_that_fails_leaves_the_server_on_the_shelf(cloud: Cloud, call: str) -> None:
    server = cloud.boot(name="s")
    _shelve(cloud, server)
    for driver in cloud.drivers.values():
        driver.plan.add(FaultRule(call, FaultKind.RAISE))
    assert cloud.act(server["id"], "unshelve").status == 202
    until(_ended(cloud, server["id"]), 10, lambda: "it never ended")
    assert cloud.wait(server["id"], "SHELVED_OFFLOADED")[SERVER] is None
    cloud.wait_quiet()
    assert _images(cloud) == {"s-shelved"} and all(not driver.disks for driver in cloud.drivers.values())
    for driver in cloud.drivers.values():
        driver.plan.clear()
    assert cloud.act(server["id"], "unshelve").status == 202
    cloud.wait(server["id"], "ACTIVE")
    cloud.wait_quiet()
    until(lambda: _images(cloud) == set(), 10, lambda: str(_images(cloud)))


def test_a_host_that_cannot_be_cleared_is_cleared_later(cloud: Cloud) -> None:
    server = cloud.boot()
    plan = cloud.drivers[server[SERVER]].plan
    plan.add(FaultRule("destroy", FaultKind.RAISE, times=1))
    cloud.act(server["id"], "shelve")
    cloud.wait(server["id"], "SHELVED_OFFLOADED")
    cloud.wait_quiet()
    assert _images(cloud) == {"web-shelved"}


def test_a_shelved_image_that_is_gone_is_said(cloud: Cloud) -> None:
    server = cloud.boot()
    _shelve(cloud, server)
    (image_id,) = set(cloud.images.images) - {IMAGE_ID, OTHER_IMAGE}
    kept = cloud.images.images.pop(image_id)
    cloud.act(server["id"], "unshelve")
    until(_ended(cloud, server["id"]), 10, lambda: "it never ended")
    assert _newest(server["id"]).message == f"Unshelve attempted but the image {image_id} cannot be found."
    cloud.wait(server["id"], "SHELVED_OFFLOADED")
    cloud.images.images[image_id] = kept
    cloud.wait_quiet()


# -- a host that dies in the middle -------------------------------------------------------------------

# action, its body, the call it is killed in (the image service's own in capitals), what the server is in the end
KILLS = [
    ("createImage", {"name": "i"}, "snapshot", "ACTIVE"),
    ("createBackup", BACKUP, "UPLOAD", "ACTIVE"),
    ("shelve", None, "power_off", "SHELVED_OFFLOADED"),
    ("shelve", None, "UPLOAD", "SHELVED_OFFLOADED"),
    ("shelve", None, "destroy", "SHELVED_OFFLOADED"),
    ("rescue", {"rescue_image_ref": OTHER_IMAGE}, "rescue", "RESCUE"),
    ("rebuild", {"imageRef": OTHER_IMAGE}, "create_disks", "ACTIVE"),
    ("rebuild", {"imageRef": OTHER_IMAGE}, "spawn", "ACTIVE"),
]


@pytest.mark.parametrize(("action", "body", "call", "status"), KILLS)
def test_a_host_killed_in_the_middle_goes_on_when_it_is_back(
    cloud: Cloud, action: str, body: Any, call: str, status: str
) -> None:
    server = cloud.boot()
    host = server[SERVER]
    plan = cloud.images.plan if call.isupper() else cloud.drivers[host].plan
    plan.delay(call.lower(), 0.4)
    answer = cloud.act(server["id"], action, body)
    assert answer.status in (200, 202)
    until(lambda: call.lower() in {each for each, _ in plan.calls}, 10, lambda: f"{call} never began")
    cloud.kill(host)
    driver = cloud.start_host(host)
    cloud.images.plan.clear()
    until(_ended(cloud, server["id"]), 20, lambda: f"it never ended: {_newest(server['id'])}")
    cloud.wait(server["id"], status)
    assert _newest(server["id"]).state == OperationState.DONE
    cloud.wait_quiet()
    if action == "rebuild":
        assert driver.roots[server["id"]] == OTHER_IMAGE
    if action == "rescue":
        assert driver.guests[server["id"]].rescue_image == OTHER_IMAGE
        cloud.act(server["id"], "unrescue")
        cloud.wait(server["id"], "ACTIVE")
    assert len(_images(cloud)) == (action in ("createImage", "createBackup", "shelve"))


def test_an_unshelving_leaves_a_dead_host_for_another(cloud: Cloud, call: str = "spawn") -> None:
    server = cloud.boot()
    _shelve(cloud, server)
    for driver in cloud.drivers.values():
        driver.plan.delay(call, 0.5)
    cloud.act(server["id"], "unshelve")
    until(lambda: instances.get(server["id"]).host, 10, lambda: "it was never scheduled")
    first = str(instances.get(server["id"]).host)
    until(lambda: (call, server["id"]) in cloud.drivers[first].plan.calls[-3:], 10, lambda: "it never began")
    cloud.kill(first)
    assert cloud.wait(server["id"], "ACTIVE", 30)[SERVER] != first
    cloud.start_host(first)
    cloud.wait_quiet()
    assert instances.get(server["id"]).network_info


def test_conductors_killed_in_an_unshelving(cloud: Cloud) -> None:
    server = cloud.boot()
    _shelve(cloud, server)
    cloud.act(server["id"], "unshelve")
    cloud.kill("conductor")
    cloud.start_conductor("another")
    cloud.wait(server["id"], "ACTIVE", 30)
    cloud.wait_quiet()


# -- somebody else wants the server -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("action", "body", "call"),
    [
        ("createImage", {"name": "i"}, "snapshot"), ("shelve", None, "snapshot"), ("shelve", None, "destroy"),
        ("rebuild", {"imageRef": OTHER_IMAGE}, "create_disks"), ("rescue", None, "rescue"),
    ],
)  # fmt: skip
def test_a_delete_in_the_middle_leaves_nothing(cloud: Cloud, action: str, body: Any, call: str) -> None:
    server = cloud.boot()
    plan = cloud.drivers[server[SERVER]].plan
    before = len(plan.calls)
    plan.delay(call, 0.2)
    cloud.act(server["id"], action, body)
    until(lambda: (call, server["id"]) in plan.calls[before:], 10, lambda: "it never began")
    assert cloud.delete(f"/servers/{server['id']}").status == 204
    cloud.wait_gone(server["id"])
    cloud.wait_quiet()
    until(lambda: _images(cloud) == set(), 10, lambda: str(_images(cloud)))
    assert all(not driver.guests and not driver.disks for driver in cloud.drivers.values())


def test_a_delete_in_an_unshelving_leaves_nothing(cloud: Cloud) -> None:
    server = cloud.boot()
    _shelve(cloud, server)
    for driver in cloud.drivers.values():
        driver.plan.delay("spawn", 0.2)
    cloud.act(server["id"], "unshelve")
    until(lambda: instances.get(server["id"]).host, 10, lambda: "it was never scheduled")
    assert cloud.delete(f"/servers/{server['id']}").status == 204
    cloud.wait_gone(server["id"])
    cloud.wait_quiet()
    until(lambda: _images(cloud) == set(), 10, lambda: str(_images(cloud)))


def test_a_reset_state_in_a_snapshot_gives_up_the_image(cloud: Cloud) -> None:
    server = cloud.boot()
    cloud.images.plan.delay("upload", 0.3)
    cloud.act(server["id"], "createImage", {"name": "i"})
    until(lambda: cloud.images.plan.calls[-1][0] == "upload", 10, lambda: "it never began")
    cloud.act(server["id"], "os-resetState", {"state": "active"}, token=ADMIN)
    until(lambda: _images(cloud) == set(), 10, lambda: str(_images(cloud)))
    cloud.wait_quiet()


def test_the_image_service_is_away_for_a_while(cloud: Cloud) -> None:
    server = cloud.boot()
    cloud.drivers[server[SERVER]].plan.add(FaultRule("snapshot", FaultKind.RAISE, times=1))
    cloud.images.plan.add(FaultRule("delete", FaultKind.RAISE, times=3))
    cloud.act(server["id"], "createImage", {"name": "i"})
    until(_ended(cloud, server["id"]), 10, lambda: "it never ended")
    until(lambda: _images(cloud) == set(), 10, lambda: str(_images(cloud)))
    cloud.wait_quiet()
