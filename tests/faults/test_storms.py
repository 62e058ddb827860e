"""Messages lost and doubled, hosts killed in the middle, races for the last place: everything accepted still ends."""

from __future__ import annotations

import pathlib
import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from nova_lite import concurrency, rpc
from nova_lite.db.api import instances, operations
from tests.harness.cloud import USER, Cloud, until


@pytest.fixture
def cloud(tmp_path: pathlib.Path) -> Iterator[Cloud]:
    with Cloud(tmp_path, hosts=2) as running:
        yield running


def _all_at_once(number: int, call: Any) -> list[Any]:
    """So many calls side by side."""
    if concurrency.is_green():
        handles = [concurrency.spawn(call, index) for index in range(number)]
        return [handle.wait(60) for handle in handles]
    with ThreadPoolExecutor(number) as pool:
        return list(pool.map(call, range(number)))


def test_every_cast_is_lost(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rpc.Client, "_post", lambda *args, **kwargs: None)
    servers = [cloud.boot(wait=None) for _ in range(5)]
    for server in servers:
        cloud.wait(server["id"], "ACTIVE", 60)
        assert cloud.act(server["id"], "os-stop").status == 202
    for server in servers:
        cloud.wait(server["id"], "SHUTOFF", 60)
        assert cloud.delete(f"/servers/{server['id']}").status == 204
    for server in servers:
        cloud.wait_gone(server["id"], 60)
    cloud.wait_quiet()


def test_every_cast_comes_three_times(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    post = rpc.Client._post

    def thrice(self: rpc.Client, *args: Any, **kwargs: Any) -> None:
        for _ in range(3):
            post(self, *args, **kwargs)

    monkeypatch.setattr(rpc.Client, "_post", thrice)
    servers = [cloud.boot() for _ in range(5)]
    for server in servers:
        cloud.act(server["id"], "pause")
        cloud.wait(server["id"], "PAUSED")
    spawned = [call for driver in cloud.drivers.values() for call in driver.plan.calls if call[0] == "spawn"]
    assert len(spawned) == 5
    cloud.wait_quiet()


@pytest.mark.parametrize("call", ["create_disks", "spawn"])
def test_a_host_killed_in_a_build_goes_on_when_it_is_back(cloud: Cloud, call: str) -> None:
    cloud.stop("host2")
    cloud.drivers["host1"].plan.delay(call, 0.5)
    server = cloud.boot(wait=None)
    until(lambda: (call, server["id"]) in cloud.drivers["host1"].plan.calls, 10, lambda: "the build never began")
    cloud.kill("host1")
    cloud.start_host("host1")
    assert cloud.wait(server["id"], "ACTIVE")["OS-EXT-SRV-ATTR:host"] == "host1"
    cloud.wait_quiet()


def test_a_host_that_stays_dead_loses_its_build_to_another(cloud: Cloud) -> None:
    for driver in cloud.drivers.values():
        driver.plan.delay("spawn", 0.5)
    server = cloud.boot(wait=None)
    until(lambda: instances.get(server["id"]).host, 10, lambda: "it was never scheduled")
    first = str(instances.get(server["id"]).host)
    until(lambda: ("spawn", server["id"]) in cloud.drivers[first].plan.calls, 10, lambda: "the build never began")
    cloud.kill(first)
    shown = cloud.wait(server["id"], "ACTIVE", 30)
    assert shown["OS-EXT-SRV-ATTR:host"] != first
    # When the dead host returns, it removes what it built under the old generation.
    cloud.start_host(first)
    cloud.wait_quiet()
    assert server["id"] not in {guest.uuid for guest in cloud.drivers[first].list_guests()}


def test_a_delete_does_not_wait_for_a_dead_host_which_cleans_up_when_it_is_back(cloud: Cloud) -> None:
    server = cloud.boot()
    host = server["OS-EXT-SRV-ATTR:host"]
    cloud.kill(host)
    assert cloud.delete(f"/servers/{server['id']}").status == 204
    cloud.wait_gone(server["id"], 30)
    cloud.start_host(host)
    cloud.wait_quiet()


def test_what_only_the_dead_host_can_do_waits_for_it(cloud: Cloud) -> None:
    server = cloud.boot()
    host = server["OS-EXT-SRV-ATTR:host"]
    cloud.kill(host)
    assert cloud.act(server["id"], "os-stop").status == 202
    cloud.start_host(host)
    cloud.wait(server["id"], "SHUTOFF", 30)
    cloud.wait_quiet()


def test_the_last_places_are_sold_once(cloud: Cloud) -> None:
    cloud.stop("host2")
    cloud.stop("host1")
    # 5 servers of 128 MiB fit beside the 512 MiB that the host keeps.
    cloud.start_host("host1", sizes=(1000, 512 + 5 * 128, 1000))
    accepted = _all_at_once(20, lambda _: cloud.boot(wait=None)["id"])

    def ended() -> bool:
        return all(instances.get(uuid).vm_state in ("active", "error") for uuid in accepted)

    until(ended, 60, lambda: str([instances.get(uuid).vm_state for uuid in accepted]))
    states = [instances.get(uuid).vm_state for uuid in accepted]
    assert states.count("active") == 5 and states.count("error") == 15
    cloud.wait_quiet()


def test_the_quota_is_not_overrun(tmp_path: pathlib.Path) -> None:
    with Cloud(tmp_path, options={"quota": {"instances": 7}}) as cloud:
        body = {"server": {"name": "q", "imageRef": next(iter(cloud.images.images)), "flavorRef": "42",
                           "networks": "none"}}  # fmt: skip
        answers = _all_at_once(20, lambda _: cloud.post("/servers", body).status)
        assert answers.count(202) == 7 and answers.count(403) == 13
        until(lambda: not cloud.violations(), 20, lambda: "\n".join(cloud.violations()))


def test_of_two_conflicting_actions_one_wins(cloud: Cloud) -> None:
    cloud.drivers["host1"].plan.delay("pause", 0.1)
    for _ in range(5):
        server = cloud.boot()
        answers = _all_at_once(6, lambda _, server=server: cloud.act(server["id"], "pause").status)
        assert sorted(answers) == [202, 409, 409, 409, 409, 409]
        cloud.wait(server["id"], "PAUSED")
        assert [op.action for op in operations.list_for_instance(server["id"])] == ["pause", "create"]
    cloud.wait_quiet()


@pytest.mark.parametrize("seed", range(3))
def test_deletes_at_every_moment_of_a_build_leave_nothing(cloud: Cloud, seed: int) -> None:
    chance = random.Random(seed)
    for driver in cloud.drivers.values():
        for call in ("create_disks", "spawn", "destroy"):
            driver.plan.delay(call, 0.02)

    def boot_and_delete(_: int) -> str:
        server = cloud.boot(wait=None)
        concurrency.sleep(chance.uniform(0, 0.15))
        assert cloud.delete(f"/servers/{server['id']}", token=USER).status == 204
        return str(server["id"])

    for uuid in _all_at_once(12, boot_and_delete):
        cloud.wait_gone(uuid, 30)
    cloud.wait_quiet()
    assert all(not driver.guests and not driver.disks for driver in cloud.drivers.values())


def test_disks_without_a_guest_are_removed_when_their_server_is_gone(cloud: Cloud) -> None:
    server = cloud.boot()
    host = server["OS-EXT-SRV-ATTR:host"]
    cloud.kill(host)
    cloud.drivers[host].guests.clear()
    (cloud.directory / host / f"{server['id']}.guest").unlink()
    assert cloud.delete(f"/servers/{server['id']}").status == 204
    cloud.wait_gone(server["id"], 30)
    driver = cloud.start_host(host)
    until(lambda: not driver.disks, 10, lambda: f"disks are left: {driver.disks}")
