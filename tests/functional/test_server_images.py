"""Snapshots, backups, rebuild, rescue and shelving through the whole cloud in one process."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import pytest

from nova_lite.api.openstack.microversions import MAX
from nova_lite.compute.power_states import PowerState
from nova_lite.db.api import allocations, instances
from nova_lite.objects import ImageMeta
from nova_lite.virt.fault_plan import FaultKind, FaultRule
from tests.harness.cloud import ADMIN, IMAGE_ID, USER, Cloud, until
from tests.harness.contract import fields, material

OTHER_IMAGE = "155d900f-4e14-4e4c-a73d-069cbf4541e6"
SERVER = "OS-EXT-SRV-ATTR:host"


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    with Cloud(tmp_path_factory.mktemp("cloud"), hosts=2, options={"scheduler": {"host_cache_s": 0}}) as running:
        running.images.images[OTHER_IMAGE] = ImageMeta(
            id=OTHER_IMAGE, name="other", disk_format="raw", container_format="bare", size=1,
            properties={"kernel_id": "k", "hw_disk_bus": "scsi"},
        )  # fmt: skip
        yield running


@pytest.fixture(autouse=True)
def consistent(cloud: Cloud) -> Iterator[None]:
    """After each test the oracle finds nothing wrong."""
    yield
    for plan in (cloud.images.plan, *(driver.plan for driver in cloud.drivers.values())):
        plan.clear()
    cloud.wait_quiet()


def _home(cloud: Cloud, server: dict[str, Any]) -> Any:
    return cloud.drivers[server[SERVER]]


def _claims(server_id: str) -> list[Any]:
    return [claim for claim in allocations.list() if claim.instance_uuid == server_id]


def _tasks(cloud: Cloud, server_id: str, seen: list[Any]) -> Any:
    """Notes every task that the server shows."""

    def look() -> bool:
        shown = cloud.show(server_id)
        assert shown is not None
        if not seen or seen[-1] != shown["OS-EXT-STS:task_state"]:
            seen.append(shown["OS-EXT-STS:task_state"])
        return seen[-1] is None and len(seen) > 1

    return look


# -- images of servers --------------------------------------------------------------------------------


def test_an_image_of_a_server_has_its_data_and_says_whose_it_is(cloud: Cloud) -> None:
    server = cloud.boot(imageRef=OTHER_IMAGE)
    _home(cloud, server).plan.delay("snapshot", 0.05)
    cloud.images.plan.delay("upload", 0.05)
    answer = cloud.act(server["id"], "createImage", {"name": "shot", "metadata": {"meta": "data"}})
    assert answer.status == 202
    image_id = answer.json["image_id"]
    assert cloud.images.images[image_id].status == "queued"
    seen: list[Any] = ["image_snapshot_pending"]
    until(_tasks(cloud, server["id"], seen), 10, lambda: str(seen))
    assert seen[-3:] == ["image_pending_upload", "image_uploading", None]
    image = cloud.images.images[image_id]
    assert (image.name, image.status, image.disk_format) == ("shot", "active", "raw")
    assert server["id"].encode() in cloud.images.data[image_id] and OTHER_IMAGE.encode() in cloud.images.data[image_id]
    wanted = {
        "instance_uuid": server["id"], "image_type": "snapshot", "base_image_ref": OTHER_IMAGE, "meta": "data",
        "image_location": "snapshot", "image_state": "available", "hw_disk_bus": "scsi", "kernel_id": "k",
    }  # fmt: skip
    assert wanted.items() <= image.properties.items()
    assert cloud.wait(server["id"], "ACTIVE")["OS-EXT-STS:power_state"] == PowerState.RUNNING
    # An image of a server boots servers.
    cloud.boot(imageRef=image_id)


def test_old_clients_find_the_image_in_a_header(cloud: Cloud) -> None:
    server = cloud.boot()
    answer = cloud.act(server["id"], "createImage", {"name": "old"}, version="2.44")
    assert (answer.status, answer.body) == (202, b"")
    assert answer.headers["Location"].rpartition("/images/")[2] in cloud.images.images
    cloud.wait(server["id"], "ACTIVE")


def test_a_refused_snapshot_leaves_no_image(cloud: Cloud) -> None:
    server = cloud.boot()
    before = set(cloud.images.images)
    many = {f"k{number}": "v" for number in range(129)}
    answer = cloud.act(server["id"], "createImage", {"name": "x", "metadata": many})
    assert (answer.status, answer.json["forbidden"]["message"]) == (403, "Image metadata limit exceeded")
    cloud.act(server["id"], "lock")
    assert cloud.act(server["id"], "createImage", {"name": "locked"}).status == 202, "a lock does not stop it"
    cloud.wait(server["id"], "ACTIVE")
    cloud.act(server["id"], "unlock")
    cloud.images.plan.add(FaultRule("create", FaultKind.RAISE, times=1))
    assert cloud.act(server["id"], "createImage", {"name": "x"}).status >= 500
    assert cloud.show(server["id"])["OS-EXT-STS:task_state"] is None  # type: ignore[index]
    cloud.wait_quiet()
    assert len(set(cloud.images.images) - before) == 1


def test_backups_rotate(cloud: Cloud) -> None:
    server = cloud.boot()
    made = []
    for number, rotation in enumerate((2, 2, 2)):
        body = {"name": f"b{number}", "backup_type": "daily", "rotation": rotation}
        made.append(cloud.act(server["id"], "createBackup", body).json["image_id"])
        cloud.wait(server["id"], "ACTIVE")
    assert [image_id in cloud.images.images for image_id in made] == [False, True, True]
    assert cloud.images.images[made[2]].properties["backup_type"] == "daily"
    endless = {"name": "b3", "backup_type": "daily", "rotation": 10**30}
    cloud.act(server["id"], "createBackup", endless)
    cloud.wait(server["id"], "ACTIVE")
    (newest, *_) = cloud.get(f"/servers/{server['id']}/os-instance-actions").json["instanceActions"]
    assert newest["message"] is None, "a number that no machine counts is no failure"
    weekly = {"name": "w", "backup_type": "weekly", "rotation": "0"}
    assert cloud.act(server["id"], "createBackup", weekly).status == 202
    cloud.wait(server["id"], "ACTIVE")
    backups = [image for image in cloud.images.images.values() if image.properties.get("image_type") == "backup"]
    assert sorted(image.name or "" for image in backups) == ["b1", "b2", "b3"], "a rotation of 0 keeps none"


# -- rebuild ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("before", "after"), [("ACTIVE", "ACTIVE"), ("SHUTOFF", "SHUTOFF"), ("ERROR", "ACTIVE")])
def test_a_rebuilt_server_has_another_disk_and_is_the_same(cloud: Cloud, before: str, after: str) -> None:
    server = cloud.boot(name="old", metadata={"a": "b"})
    if before == "SHUTOFF":
        cloud.act(server["id"], "os-stop")
    elif before == "ERROR":
        cloud.act(server["id"], "os-resetState", {"state": "error"}, token=ADMIN)
    if before != "ERROR":
        cloud.wait(server["id"], before)
    claims = _claims(server["id"])
    driver = _home(cloud, server)
    driver.plan.delay("create_disks", 0.05)
    driver.plan.delay("spawn", 0.05)
    body = {
        "imageRef": OTHER_IMAGE, "name": "new", "metadata": {"c": "d"}, "adminPass": "seekr3t", "hostname": "h",
        "user_data": "eA==", "description": "told", "accessIPv4": "1.2.3.4", "OS-DCF:diskConfig": "MANUAL",
    }  # fmt: skip
    answer = cloud.act(server["id"], "rebuild", body)
    assert answer.status == 202
    told = answer.json["server"]
    assert (told["status"], told["adminPass"], told["image"]["id"]) == ("REBUILD", "seekr3t", OTHER_IMAGE)
    seen: list[Any] = ["rebuilding"]
    until(_tasks(cloud, server["id"], seen), 10, lambda: str(seen))
    assert seen[-3:] == ["rebuild_block_device_mapping", "rebuild_spawning", None]
    shown = cloud.wait(server["id"], after)
    assert driver.roots[server["id"]] == OTHER_IMAGE
    assert shown["addresses"] == server["addresses"] and shown[SERVER] == server[SERVER]
    assert claims and _claims(server["id"]) == claims
    assert (shown["name"], shown["metadata"], shown["description"]) == ("new", {"c": "d"}, "told")
    assert (shown["accessIPv4"], shown["OS-DCF:diskConfig"]) == ("1.2.3.4", "MANUAL")
    assert shown["OS-EXT-STS:power_state"] == (PowerState.SHUTDOWN if after == "SHUTOFF" else PowerState.RUNNING)
    assert instances.get(server["id"]).kernel_id == "k"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"imageRef": "11111111-1111-1111-1111-111111111111"}, "Cannot find image for rebuild"),
        ({"imageRef": OTHER_IMAGE, "key_name": "nobody's"}, "Invalid key_name provided."),
        ({"imageRef": "no uuid"}, "Invalid input for field/attribute imageRef."),
        ({"imageRef": OTHER_IMAGE, "personality": []}, "Additional properties are not allowed"),
    ],
)
def test_a_rebuild_of_nonsense_is_refused(cloud: Cloud, body: Any, message: str) -> None:
    server = cloud.boot()
    answer = cloud.act(server["id"], "rebuild", body)
    assert answer.status == 400 and message in answer.json["badRequest"]["message"]
    shown = cloud.show(server["id"])
    assert shown is not None and shown["image"]["id"] == IMAGE_ID and shown["status"] == "ACTIVE"


def test_an_image_too_large_for_the_flavor_is_refused(cloud: Cloud) -> None:
    server = cloud.boot()
    huge = ImageMeta(id="22222222-2222-2222-2222-222222222222", size=1, min_ram=1 << 20)
    cloud.images.images[huge.id] = huge
    answer = cloud.act(server["id"], "rebuild", {"imageRef": huge.id})
    assert (answer.status, answer.json["badRequest"]["message"]) == (
        400, "Flavor's memory is too small for requested image.",
    )  # fmt: skip


def test_a_rebuild_answers_each_version_what_it_knows(cloud: Cloud) -> None:
    """Field by field at random microversions, as a member and as an administrator; the seed is in the message."""
    try:
        material.location()
    except material.ContractMissing as error:
        pytest.skip(str(error))
    server = cloud.boot()
    seed = random.randrange(10**6)
    for minor in sorted({1, 56, 57, 74, 75, 96, *random.Random(seed).sample(range(1, MAX.minor + 1), 4)}):
        for role, token in (("member", USER), ("admin", ADMIN)):
            body = {"imageRef": IMAGE_ID, **({"user_data": "eA=="} if minor >= 57 else {})}
            answer = cloud.act(server["id"], "rebuild", body, version=f"2.{minor}", token=token)
            where = f"seed {seed}, at 2.{minor} as {role}"
            assert answer.status == 202, f"{where}: {answer.body!r}"
            assert fields.check("POST /servers/{id}/action rebuild", (2, minor), answer.json) == [], where
            sees_hosts = "OS-EXT-SRV-ATTR:host" in answer.json["server"]
            assert sees_hosts == (role == "admin" and minor >= 75), where
            assert len(answer.json["server"]["adminPass"]) == 12
            cloud.wait(server["id"], "ACTIVE")


# -- rescue -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("before", ["ACTIVE", "SHUTOFF"])
def test_a_rescued_server_runs_from_another_image_until_it_is_told(cloud: Cloud, before: str) -> None:
    server = cloud.boot()
    if before == "SHUTOFF":
        cloud.act(server["id"], "os-stop")
        cloud.wait(server["id"], "SHUTOFF")
    answer = cloud.act(server["id"], "rescue", {"adminPass": "pw", "rescue_image_ref": OTHER_IMAGE})
    assert (answer.status, answer.json) == (200, {"adminPass": "pw"})
    cloud.wait(server["id"], "RESCUE")
    guest = _home(cloud, server).guests[server["id"]]
    assert guest.rescue_image == OTHER_IMAGE and guest.power_state == PowerState.RUNNING
    assert cloud.act(server["id"], "os-stop").status == 409
    assert cloud.act(server["id"], "unrescue").status == 202
    assert cloud.wait(server["id"], "ACTIVE")["image"]["id"] == IMAGE_ID
    assert guest.rescue_image is None


def test_a_rescue_without_an_image_takes_the_servers_own_and_makes_a_password(cloud: Cloud) -> None:
    server = cloud.boot()
    answer = cloud.act(server["id"], "rescue")
    assert answer.status == 200 and len(answer.json["adminPass"]) == 12
    cloud.wait(server["id"], "RESCUE")
    assert _home(cloud, server).guests[server["id"]].rescue_image == IMAGE_ID
    assert cloud.delete(f"/servers/{server['id']}").status == 204
    cloud.wait_gone(server["id"])


def test_a_rescue_image_must_be_there(cloud: Cloud) -> None:
    server = cloud.boot()
    missing = "11111111-1111-1111-1111-111111111111"
    answer = cloud.act(server["id"], "rescue", {"rescue_image_ref": missing})
    assert (answer.status, answer.json["badRequest"]["message"]) == (
        400, f"Requested rescue image '{missing}' is not supported",
    )  # fmt: skip


@pytest.mark.parametrize(("fails", "status"), [(["rescue"], "ACTIVE"), (["rescue", "unrescue"], "ERROR")])
def test_a_rescue_that_fails_leaves_the_guest_as_it_was_or_says_that_it_is_lost(
    cloud: Cloud, fails: list[str], status: str
) -> None:
    """Nova leaves the server in error in both cases (design/021)."""
    server = cloud.boot()
    for call in fails:
        _home(cloud, server).plan.add(FaultRule(call, FaultKind.RAISE, times=1))
    assert cloud.act(server["id"], "rescue").status == 200
    shown = cloud.wait(server["id"], status)
    if status == "ERROR":
        assert shown["fault"]["message"] == "Action 'rescue' failed: NovaLiteError"
    cloud.delete(f"/servers/{server['id']}")
    cloud.wait_gone(server["id"])


# -- shelving -----------------------------------------------------------------------------------------


def test_a_shelved_server_leaves_its_host_and_comes_back_with_its_disk(cloud: Cloud) -> None:
    server = cloud.boot(name="mine", imageRef=OTHER_IMAGE)
    driver = _home(cloud, server)
    assert cloud.act(server["id"], "shelve").status == 202
    shown = cloud.wait(server["id"], "SHELVED_OFFLOADED")
    assert shown[SERVER] is None and shown["hostId"] == "" and shown["image"]["id"] == OTHER_IMAGE
    assert shown["addresses"] == server["addresses"]
    assert server["id"] not in driver.guests and server["id"] not in driver.disks
    assert _claims(server["id"]) == []
    (image,) = [image for image in cloud.images.images.values() if image.name == "mine-shelved"]
    assert image.status == "active" and image.properties["instance_uuid"] == server["id"]
    for action in ("os-start", "os-stop"):
        answer = cloud.act(server["id"], action)
        assert (answer.status, answer.json["conflictingRequest"]["message"]) == (
            409, f"Instance {server['id']} is not ready",
        )  # fmt: skip
    assert cloud.act(server["id"], "unshelve").status == 202
    shown = cloud.wait(server["id"], "ACTIVE")
    home = _home(cloud, shown)
    assert home.roots[server["id"]] == image.id and shown["image"]["id"] == OTHER_IMAGE
    assert shown["addresses"] == server["addresses"]
    until(lambda: image.id not in cloud.images.images, 10, lambda: "the shelved image stays")


def test_a_shelved_server_that_is_deleted_takes_its_image_along(cloud: Cloud) -> None:
    server = cloud.boot(name="doomed")
    cloud.act(server["id"], "shelve")
    cloud.wait(server["id"], "SHELVED_OFFLOADED")
    assert cloud.delete(f"/servers/{server['id']}").status == 204
    cloud.wait_gone(server["id"])
    names = [image.name for image in cloud.images.images.values()]
    until(lambda: "doomed-shelved" not in [i.name for i in cloud.images.images.values()], 10, lambda: str(names))


@pytest.mark.parametrize(
    ("body", "version", "token", "status", "message"),
    [
        ({"availability_zone": "nowhere"}, "2.77", ADMIN, 400, "The requested availability zone is not available"),
        ({"host": "nowhere"}, "2.91", ADMIN, 400, "Compute host nowhere could not be found."),
        ({"host": "host1"}, "2.91", None, 403, "Policy doesn't allow os_compute_api:os-shelve:unshelve_to_host"),
        ({"host": "host1"}, "2.90", ADMIN, 400, "is not valid under any of the given schemas"),
        ({}, "2.77", ADMIN, 400, "is not valid under any of the given schemas"),
    ],
)
def test_a_place_that_is_none_is_refused(
    cloud: Cloud, body: Any, version: str, token: str | None, status: int, message: str
) -> None:
    server = cloud.boot()
    cloud.act(server["id"], "shelve")
    cloud.wait(server["id"], "SHELVED_OFFLOADED")
    extra = {} if token is None else {"token": token}
    answer = cloud.act(server["id"], "unshelve", body, version=version, **extra)
    assert answer.status == status
    assert message in next(iter(answer.json.values()))["message"]
    assert cloud.wait(server["id"], "SHELVED_OFFLOADED")["OS-EXT-STS:task_state"] is None


@pytest.mark.parametrize("host", ["host1", "host2"])
def test_an_administrator_says_where_a_server_comes_back(cloud: Cloud, host: str) -> None:
    server = cloud.boot(availability_zone="nova")
    cloud.act(server["id"], "shelve")
    cloud.wait(server["id"], "SHELVED_OFFLOADED")
    body = {"host": host, "availability_zone": None}
    assert cloud.act(server["id"], "unshelve", body, token=ADMIN).status == 202
    shown = cloud.wait(server["id"], "ACTIVE")
    assert shown[SERVER] == host and shown["pinned_availability_zone"] is None


def test_no_room_leaves_it_on_the_shelf(cloud: Cloud) -> None:
    server = cloud.boot()
    cloud.act(server["id"], "shelve")
    cloud.wait(server["id"], "SHELVED_OFFLOADED")
    for host in cloud.drivers:
        cloud.set_host(host, status="disabled")
    assert cloud.act(server["id"], "unshelve").status == 202
    shown = cloud.wait(server["id"], "SHELVED_OFFLOADED")
    for host in cloud.drivers:
        cloud.set_host(host, status="enabled")
    (newest, *_) = cloud.get(f"/servers/{server['id']}/os-instance-actions").json["instanceActions"]
    assert newest["action"] == "unshelve" and "No valid host was found." in newest["message"]
    assert shown["pinned_availability_zone"] is None
