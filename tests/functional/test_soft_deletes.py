"""Deletes that can be taken back ([DEFAULT] reclaim_instance_interval), through the whole cloud."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from nova_lite import quota
from nova_lite.compute.power_states import PowerState
from nova_lite.virt.fault_plan import FaultKind, FaultRule
from tests.harness.cloud import ADMIN, CONF, PROJECT, Cloud, until


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    options = {"DEFAULT": {"reclaim_instance_interval": 3600}}
    with Cloud(tmp_path_factory.mktemp("cloud"), hosts=2, options=options) as running:
        yield running


@pytest.fixture(autouse=True)
def consistent(cloud: Cloud) -> Iterator[None]:
    yield
    for driver in cloud.drivers.values():
        driver.plan.clear()
    cloud.wait_quiet()


def _deleted(cloud: Cloud, **server: object) -> str:
    server_id = str(cloud.boot(**server)["id"])
    assert cloud.delete(f"/servers/{server_id}").status == 204
    cloud.wait(server_id, "SOFT_DELETED")
    return server_id


def _used() -> int:
    return quota.usage(PROJECT)["instances"]


def _listed(cloud: Cloud, query: str = "", **kwargs: object) -> list[str]:
    return [each["id"] for each in cloud.get(f"/servers{query}", **kwargs).json["servers"]]


def _limit_instances(cloud: Cloud, limit: int) -> None:
    body = {"quota_set": {"instances": limit, "force": True}}
    assert cloud.request("PUT", f"/os-quota-sets/{PROJECT}", body, token=ADMIN).status == 200


def test_a_deleted_server_is_off_and_comes_back(cloud: Cloud) -> None:
    before = _used()
    server = _deleted(cloud)
    shown = cloud.show(server)
    assert shown is not None and shown["OS-EXT-STS:power_state"] == PowerState.SHUTDOWN
    assert shown["OS-EXT-STS:vm_state"] == "soft-delete"
    assert _used() == before, "it counts no more"
    answer = cloud.act(server, "restore")
    assert (answer.status, answer.body) == (202, b"")
    assert cloud.wait(server, "ACTIVE")["OS-EXT-STS:power_state"] == PowerState.RUNNING
    assert _used() == before + 1
    assert cloud.act(server, "restore").status == 409


def test_it_is_hidden_from_lists_but_not_from_those_who_look(cloud: Cloud) -> None:
    server = _deleted(cloud)
    assert server not in _listed(cloud)
    assert server not in _listed(cloud, token=ADMIN)
    assert server in _listed(cloud, "?soft_deleted=True", token=ADMIN)
    assert server in _listed(cloud, "?deleted=True", token=ADMIN)
    assert server not in _listed(cloud, "?deleted=True&soft_deleted=False", token=ADMIN)
    assert cloud.get(f"/servers/{server}").json["server"]["status"] == "SOFT_DELETED"


def test_for_good(cloud: Cloud) -> None:
    before = _used()
    server = _deleted(cloud)
    assert cloud.act(server, "forceDelete").status == 202
    cloud.wait_gone(server)
    assert _used() == before
    running = cloud.boot()["id"]
    assert cloud.act(running, "forceDelete").status == 202
    cloud.wait_gone(running)
    assert _used() == before


def test_deleted_twice(cloud: Cloud) -> None:
    before = _used()
    server = _deleted(cloud)
    assert cloud.delete(f"/servers/{server}").status == 204
    cloud.wait(server, "SOFT_DELETED")
    assert _used() == before


def test_a_hypervisor_that_fails_once_is_asked_again(cloud: Cloud) -> None:
    server = str(cloud.boot()["id"])
    for driver in cloud.drivers.values():
        driver.plan.add(FaultRule("power_off", FaultKind.RAISE, times=1))
    assert cloud.delete(f"/servers/{server}").status == 204
    assert cloud.wait(server, "SOFT_DELETED")["OS-EXT-STS:power_state"] == PowerState.SHUTDOWN


def test_what_never_ran_is_deleted_for_good(cloud: Cloud) -> None:
    for driver in cloud.drivers.values():
        driver.plan.delay("spawn", 1.0)
    server = str(cloud.boot(wait=None)["id"])
    assert cloud.delete(f"/servers/{server}").status == 204
    cloud.wait_gone(server)


def test_there_must_be_room_to_come_back(cloud: Cloud) -> None:
    server = _deleted(cloud)
    _limit_instances(cloud, max(_used(), 1))
    fillers = [str(cloud.boot()["id"])] if _used() == 0 else []
    try:
        answer = cloud.act(server, "restore")
        assert answer.status == 403 and "Quota exceeded for instances" in answer.json["forbidden"]["message"]
        assert cloud.wait(server, "SOFT_DELETED")["id"] == server
    finally:
        _limit_instances(cloud, 1000)
    assert cloud.act(server, "restore").status == 202
    cloud.wait(server, "ACTIVE")
    for each in fillers:
        cloud.act(each, "forceDelete")


def test_a_restore_that_fails_leaves_it_deleted_and_uncounted(cloud: Cloud) -> None:
    before = _used()
    server = _deleted(cloud)
    for driver in cloud.drivers.values():
        driver.plan.add(FaultRule("power_on", FaultKind.RAISE))
    assert cloud.act(server, "restore").status == 202
    cloud.wait(server, "SOFT_DELETED")
    assert _used() == before


def test_a_delete_overtakes_a_restore(cloud: Cloud) -> None:
    before = _used()
    server = _deleted(cloud)
    for driver in cloud.drivers.values():
        driver.plan.delay("power_on", 1.0)
    assert cloud.act(server, "restore").status == 202
    assert _used() == before + 1
    assert cloud.act(server, "forceDelete").status == 202
    cloud.wait_gone(server)
    assert _used() == before


def test_an_administrator_declares_it_active_and_it_counts_again(cloud: Cloud) -> None:
    before = _used()
    server = _deleted(cloud)
    assert cloud.act(server, "os-resetState", {"state": "error"}, token=ADMIN).status == 202
    assert _used() == before + 1
    assert cloud.act(server, "forceDelete").status == 202
    cloud.wait_gone(server)
    assert _used() == before


def test_on_a_dead_host_it_is_deleted_all_the_same(cloud: Cloud) -> None:
    server = cloud.boot()
    host = server["OS-EXT-SRV-ATTR:host"]
    cloud.kill(host)
    try:
        cloud.drivers.pop(host)
        path = f"/os-services?host={host}&binary=nova-compute"
        until(lambda: cloud.get(path, token=ADMIN).json["services"][0]["state"] == "down", 10, lambda: "still up")
        assert cloud.delete(f"/servers/{server['id']}").status == 204
        cloud.wait(server["id"], "SOFT_DELETED")
    finally:
        cloud.start_host(host)
    assert cloud.act(server["id"], "restore").status == 202
    cloud.wait(server["id"], "ACTIVE")


def test_the_sweeper_reclaims_what_nobody_restored(cloud: Cloud) -> None:
    before = _used()
    server, kept = _deleted(cloud), cloud.boot()["id"]
    CONF.set_override("reclaim_instance_interval", 1)
    try:
        cloud.wait_gone(server)
    finally:
        CONF.set_override("reclaim_instance_interval", 3600)
    assert cloud.show(kept) is not None
    assert _used() == before + 1
