"""Resize and cold migration from the request to the confirmation, on several hosts: what users and operators see."""

from __future__ import annotations

import pathlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest

from nova_lite import concurrency
from nova_lite.db.api import instances
from tests.harness.cloud import ADMIN, IMAGE_ID, STRANGER, USER, Cloud, until

# Of the default flavors: 42 is m1.nano, 1 is m1.tiny, 2 is m1.small.
OLD, NEW = "42", "1"


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    directory: pathlib.Path = tmp_path_factory.mktemp("cloud")
    with Cloud(directory, hosts=3) as running:
        yield running


@pytest.fixture
def server(cloud: Cloud) -> Iterator[dict[str, Any]]:
    made = cloud.boot()
    yield made
    cloud.delete(f"/servers/{made['id']}")
    cloud.wait_gone(made["id"])
    cloud.wait_quiet()
    assert not any(made["id"] in driver.list_disks() for driver in cloud.drivers.values())


def _host(server: dict[str, Any]) -> str:
    return str(server["OS-EXT-SRV-ATTR:host"])


def _migrations(cloud: Cloud, server: dict[str, Any], version: str = "2.80") -> list[dict[str, Any]]:
    answer = cloud.get(f"/os-migrations?instance_uuid={server['id']}", token=ADMIN, version=version)
    assert answer.status == 200, answer.body
    return list(answer.json["migrations"])


def _used(cloud: Cloud) -> tuple[int, int]:
    limits = cloud.get("/limits").json["limits"]["absolute"]
    return limits["totalCoresUsed"], limits["totalRAMUsed"]


def _at_once(call: Callable[[Any], int], each: Sequence[Any]) -> list[int]:
    handles = [concurrency.spawn(call, one) for one in each]
    return [handle.wait(30) for handle in handles]


def _resize(cloud: Cloud, server: dict[str, Any], flavor: str = NEW) -> dict[str, Any]:
    answer = cloud.act(server["id"], "resize", {"flavorRef": flavor})
    assert answer.status == 202, answer.body
    return cloud.wait(server["id"], "VERIFY_RESIZE")


def test_a_resized_server_is_confirmed(cloud: Cloud, server: dict[str, Any]) -> None:
    before = _used(cloud)
    generation = instances.get(server["id"]).generation
    resized = _resize(cloud, server)
    assert _host(resized) != _host(server)
    assert resized["flavor"]["original_name"] == "m1.tiny"
    assert instances.get(server["id"]).generation == generation + 1
    assert _used(cloud) == (before[0], before[1] + 512 - 128)
    # The source keeps the disks until then.
    assert server["id"] in cloud.drivers[_host(server)].list_disks()
    assert cloud.violations() == []
    (move,) = _migrations(cloud, server)
    assert (move["status"], move["migration_type"]) == ("finished", "resize")
    assert (move["source_compute"], move["dest_compute"]) == (_host(server), _host(resized))
    assert move["old_instance_type_id"] != move["new_instance_type_id"]
    assert cloud.act(server["id"], "confirmResize").status == 204
    confirmed = cloud.wait(server["id"], "ACTIVE")
    assert (_host(confirmed), confirmed["flavor"]["original_name"]) == (_host(resized), "m1.tiny")
    until(lambda: _migrations(cloud, server)[0]["status"] == "confirmed", 5, lambda: "not confirmed")
    assert server["id"] not in cloud.drivers[_host(server)].list_disks()
    cloud.wait_quiet()


@pytest.mark.parametrize("stopped", [False, True])
def test_a_resized_server_is_reverted(cloud: Cloud, server: dict[str, Any], stopped: bool) -> None:
    if stopped:
        cloud.act(server["id"], "os-stop")
        cloud.wait(server["id"], "SHUTOFF")
    before = _used(cloud)
    resized = _resize(cloud, server)
    guest = cloud.drivers[_host(resized)].guests[server["id"]]
    assert guest.power_state == (4 if stopped else 1)
    assert cloud.act(server["id"], "revertResize").status == 202
    reverted = cloud.wait(server["id"], "SHUTOFF" if stopped else "ACTIVE")
    assert (_host(reverted), reverted["flavor"]["original_name"]) == (_host(server), server["flavor"]["original_name"])
    assert cloud.drivers[_host(server)].guests[server["id"]].power_state == (4 if stopped else 1)
    assert _migrations(cloud, server)[0]["status"] == "reverted"
    assert server["id"] not in cloud.drivers[_host(resized)].list_disks()
    assert _used(cloud) == before
    cloud.wait_quiet()


def test_a_server_resized_to_less_counts_for_more_until_it_is_confirmed(cloud: Cloud) -> None:
    server = cloud.boot(flavorRef=NEW)
    before = _used(cloud)
    _resize(cloud, server, OLD)
    assert _used(cloud) == before and cloud.violations() == []
    cloud.act(server["id"], "confirmResize")
    cloud.wait(server["id"], "ACTIVE")
    assert _used(cloud) == (before[0], before[1] - 512 + 128)
    cloud.delete(f"/servers/{server['id']}")
    cloud.wait_gone(server["id"])


def test_a_migrated_server_is_elsewhere(cloud: Cloud, server: dict[str, Any]) -> None:
    assert cloud.act(server["id"], "migrate", token=USER).status == 403
    assert cloud.act(server["id"], "migrate", token=ADMIN).status == 202
    moved = cloud.wait(server["id"], "VERIFY_RESIZE")
    assert _host(moved) != _host(server) and moved["flavor"] == server["flavor"]
    assert _migrations(cloud, server)[0]["migration_type"] == "migration"
    cloud.act(server["id"], "confirmResize")
    cloud.wait(server["id"], "ACTIVE")


def test_the_host_of_a_migration_may_be_named_from_2_56(cloud: Cloud, server: dict[str, Any]) -> None:
    other = sorted(set(cloud.drivers) - {_host(server)})[-1]
    path, where = server["id"], {"host": _host(server)}
    same = cloud.act(path, "migrate", where, token=ADMIN)
    assert (same.status, same.json["badRequest"]["message"]) == (
        400, "Cannot migrate to the host where the server exists."
    )  # fmt: skip
    unknown = cloud.act(path, "migrate", {"host": "nowhere"}, token=ADMIN)
    assert (unknown.status, unknown.json["badRequest"]["message"]) == (400, "Compute host nowhere could not be found.")
    assert cloud.act(path, "migrate", {"host": other, "force": True}, token=ADMIN).status == 400
    assert cloud.act(path, "migrate", {"host": other}, token=ADMIN).status == 202
    assert _host(cloud.wait(server["id"], "VERIFY_RESIZE")) == other


def test_the_events_of_a_resize_are_novas(cloud: Cloud, server: dict[str, Any]) -> None:
    _resize(cloud, server)
    path = f"/servers/{server['id']}/os-instance-actions"
    (action,) = [each for each in cloud.get(path).json["instanceActions"] if each["action"] == "resize"]
    events = cloud.get(f"{path}/{action['request_id']}", token=ADMIN).json["instanceAction"]["events"]
    assert {event["event"] for event in events} == {
        "compute_prep_resize", "compute_resize_instance", "compute_finish_resize"
    }  # fmt: skip
    assert {event["result"] for event in events} == {"Success"}


@pytest.mark.parametrize(
    ("flavor", "message"),
    [
        (OLD, "When resizing, instances must change flavor!"),
        ("nothing", "Flavor nothing could not be found."),
    ],
)
def test_flavors_that_a_server_cannot_be_of(cloud: Cloud, server: dict[str, Any], flavor: str, message: str) -> None:
    answer = cloud.act(server["id"], "resize", {"flavorRef": flavor})
    assert (answer.status, answer.json["badRequest"]["message"]) == (400, message)


def test_a_disk_cannot_become_none(cloud: Cloud, server: dict[str, Any]) -> None:
    body = {"flavor": {"name": "diskless", "id": "diskless", "vcpus": 1, "ram": 128, "disk": 0}}
    cloud.post("/flavors", body, token=ADMIN)
    answer = cloud.act(server["id"], "resize", {"flavorRef": "diskless"})
    assert (answer.status, answer.json["badRequest"]["message"]) == (
        400, "Server disk was unable to be resized because: Resize to zero disk flavor is not allowed."
    )  # fmt: skip


def test_an_image_must_fit_into_the_new_flavor(cloud: Cloud) -> None:
    needy = cloud.images.images[IMAGE_ID].replace(id="8f1b7a4e-0000-4000-8000-000000000001", min_ram=256)
    cloud.images.images[needy.id] = needy
    server = cloud.boot(imageRef=needy.id, flavorRef=NEW)
    answer = cloud.act(server["id"], "resize", {"flavorRef": OLD})
    assert (answer.status, answer.json["badRequest"]["message"]) == (
        400, "Flavor's memory is too small for requested image."
    )  # fmt: skip
    cloud.delete(f"/servers/{server['id']}")
    cloud.wait_gone(server["id"])


def test_a_server_of_a_dead_host_is_not_moved(cloud: Cloud, server: dict[str, Any]) -> None:
    (service,) = cloud.get(f"/os-services?host={_host(server)}&binary=nova-compute", token=ADMIN).json["services"]
    path = f"/os-services/{service['id']}"
    cloud.request("PUT", path, {"forced_down": True}, token=ADMIN)
    try:
        for verb, body in (("resize", {"flavorRef": NEW}), ("migrate", None)):
            answer = cloud.act(server["id"], verb, body, token=ADMIN)
            assert (answer.status, answer.json["conflictingRequest"]["message"]) == (
                409, "Service is unavailable at this time."
            )  # fmt: skip
    finally:
        cloud.request("PUT", path, {"forced_down": False}, token=ADMIN)


def test_of_a_confirmation_and_a_revert_at_once_one_is_accepted(cloud: Cloud, server: dict[str, Any]) -> None:
    _resize(cloud, server)
    answers = _at_once(lambda verb: cloud.act(server["id"], verb).status, ["confirmResize", "revertResize"] * 3)
    assert sorted(answers)[0] in (202, 204) and set(sorted(answers)[1:]) <= {400, 409}
    cloud.wait(server["id"], "ACTIVE")
    cloud.wait_quiet()


def test_the_last_of_the_quota_is_given_once(cloud: Cloud) -> None:
    servers = [cloud.boot() for _ in range(4)]
    project, used = servers[0]["tenant_id"], _used(cloud)[1]
    cloud.request("PUT", f"/os-quota-sets/{project}", {"quota_set": {"ram": used + 2 * 384}}, token=ADMIN)
    answers = _at_once(lambda each: cloud.act(each["id"], "resize", {"flavorRef": NEW}).status, servers)
    assert sorted(answers) == [202, 202, 403, 403]
    cloud.delete(f"/os-quota-sets/{project}", token=ADMIN)
    until(lambda: cloud.violations() == [], 20, lambda: str(cloud.violations()))
    for each in servers:
        cloud.delete(f"/servers/{each['id']}")
        cloud.wait_gone(each["id"])
    cloud.wait_quiet()


def test_the_increase_must_fit_into_the_quota(cloud: Cloud, server: dict[str, Any]) -> None:
    project = server["tenant_id"]
    used = _used(cloud)[1]
    cloud.request("PUT", f"/os-quota-sets/{project}", {"quota_set": {"ram": used + 383}}, token=ADMIN)
    try:
        answer = cloud.act(server["id"], "resize", {"flavorRef": NEW})
        assert (answer.status, answer.json["forbidden"]["message"][:23]) == (403, "Quota exceeded for ram:")
    finally:
        cloud.delete(f"/os-quota-sets/{project}", token=ADMIN)
    assert _used(cloud)[1] == used and _migrations(cloud, server) == []


def test_no_host_leaves_the_server_as_it_was(cloud: Cloud, server: dict[str, Any]) -> None:
    huge = {"flavor": {"name": "huge", "id": "huge", "vcpus": 1, "ram": 128, "disk": 700_000}}
    cloud.post("/flavors", huge, token=ADMIN)
    used = _used(cloud)
    assert cloud.act(server["id"], "resize", {"flavorRef": "huge"}).status == 202
    until(lambda: [each["status"] for each in _migrations(cloud, server)] == ["error"], 10, lambda: "no end")
    back = cloud.wait(server["id"], "ACTIVE")
    assert (_host(back), back["flavor"]) == (_host(server), server["flavor"])
    assert _used(cloud) == used and cloud.violations() == []
    fault = instances.get(server["id"]).fault
    assert fault is not None and fault.message.startswith("No valid host was found.")


def test_what_has_not_been_resized_is_neither_confirmed_nor_reverted(cloud: Cloud, server: dict[str, Any]) -> None:
    for verb in ("confirmResize", "revertResize"):
        answer = cloud.act(server["id"], verb)
        assert answer.status == 409
        assert answer.json["conflictingRequest"]["message"] == (
            f"Cannot '{verb}' instance {server['id']} while it is in vm_state active"
        )


def test_a_confirmed_resize_is_not_reverted(cloud: Cloud, server: dict[str, Any]) -> None:
    resized = _resize(cloud, server)
    cloud.drivers[_host(server)].plan.delay("confirm_migration", 0.3)
    assert cloud.act(server["id"], "confirmResize").status == 204
    shown = cloud.show(server["id"])
    assert shown is not None and shown["status"] == "VERIFY_RESIZE" and shown["OS-EXT-STS:task_state"] is None
    for verb in ("revertResize", "confirmResize"):
        answer = cloud.act(server["id"], verb)
        assert (answer.status, answer.json["badRequest"]["message"]) == (400, "Instance has not been resized.")
    assert _host(cloud.wait(server["id"], "ACTIVE")) == _host(resized)
    cloud.drivers[_host(server)].plan.clear()


@pytest.mark.parametrize("verb", ["resize", "confirmResize", "revertResize"])
def test_a_lock_stops_users_not_administrators(cloud: Cloud, server: dict[str, Any], verb: str) -> None:
    body = {"flavorRef": NEW} if verb == "resize" else None
    if body is None:
        _resize(cloud, server)
    cloud.act(server["id"], "lock")
    answer = cloud.act(server["id"], verb, body)
    assert (answer.status, answer.json["conflictingRequest"]["message"]) == (409, f"Instance {server['id']} is locked")
    assert cloud.act(server["id"], verb, body, token=ADMIN).status in (202, 204)
    cloud.act(server["id"], "unlock")
    cloud.wait(server["id"], "VERIFY_RESIZE" if verb == "resize" else "ACTIVE")


def test_a_resized_server_whose_state_is_reset_keeps_its_place(cloud: Cloud, server: dict[str, Any]) -> None:
    resized = _resize(cloud, server)
    assert cloud.act(server["id"], "os-resetState", {"state": "active"}, token=ADMIN).status == 202
    assert _migrations(cloud, server)[0]["status"] == "error"
    assert _host(cloud.wait(server["id"], "ACTIVE")) == _host(resized)
    # The source cleans up when it looks around.
    cloud.stop(_host(server))
    cloud.start_host(_host(server))
    cloud.wait_quiet()


def test_the_list_of_migrations(cloud: Cloud, server: dict[str, Any]) -> None:
    _resize(cloud, server)
    cloud.act(server["id"], "revertResize")
    cloud.wait(server["id"], "ACTIVE")
    _resize(cloud, server)
    first, second = _migrations(cloud, server, "2.1")
    assert first["id"] < second["id"] and "migration_type" not in first and "uuid" not in first
    newest, oldest = _migrations(cloud, server)
    assert (newest["id"], oldest["id"]) == (second["id"], first["id"])
    mine = f"/os-migrations?instance_uuid={server['id']}"

    def ids(query: str, token: str = ADMIN) -> list[int]:
        return [each["id"] for each in cloud.get(f"{mine}&{query}", token=token).json["migrations"]]

    assert ids("status=finished") == [newest["id"]]
    assert ids("migration_type=migration") == ids("hidden=true") == ids("host=nowhere") == []
    assert ids(f"source_compute={newest['source_compute']}") == [newest["id"], oldest["id"]]
    assert newest["id"] in ids(f"host={newest['dest_compute']}")
    assert ids(f"changes-since={newest['updated_at']}") == [newest["id"]]
    assert ids(f"changes-before={oldest['updated_at']}") == [oldest["id"]]
    assert ids(f"limit=1&marker={newest['uuid']}") == [oldest["id"]]
    page = cloud.get(f"{mine}&limit=1", token=ADMIN).json
    assert page["migrations_links"][0]["href"].endswith(f"limit=1&marker={newest['uuid']}")
    assert cloud.get(f"/os-migrations?marker={server['id']}", token=ADMIN).status == 400
    wrong = f"/os-migrations?changes-since={newest['updated_at']}&changes-before={oldest['created_at']}"
    assert cloud.get(wrong, token=ADMIN).status == 400
    whose = f"user_id={newest['user_id']}&project_id={newest['project_id']}"
    shown = cloud.get(f"{mine}&{whose}", token=ADMIN, version="2.80")
    assert len(shown.json["migrations"]) == 2
    assert cloud.get("/os-migrations", token=STRANGER).status == 403
