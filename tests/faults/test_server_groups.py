"""A group's policy while hosts, schedulers and conductors die: who is placed stays apart, who fails says why."""

from __future__ import annotations

import collections
import pathlib
from collections.abc import Iterator
from typing import Any

import pytest

from nova_lite.virt.fault_plan import FaultKind, FaultRule
from tests.harness.cloud import ADMIN, IMAGE_ID, Cloud, until

HOSTS = 4
OPTIONS = {"operations": {"lease_s": 1.0}, "filter_scheduler": {"shuffle_best_same_weighed_hosts": True}}


@pytest.fixture
def cloud(tmp_path: pathlib.Path) -> Iterator[Cloud]:
    with Cloud(tmp_path, hosts=HOSTS, options=OPTIONS) as running:
        running.start_scheduler("scheduler-b")
        running.start_conductor("conductor-b")
        yield running


def _members(cloud: Cloud, policy: str, number: int) -> tuple[str, list[str]]:
    """A group and so many new members, still being built."""
    body = {"server_group": {"name": "g", "policy": policy}}
    group = str(cloud.post("/os-server-groups", body).json["server_group"]["id"])
    server = {"name": "m", "imageRef": IMAGE_ID, "flavorRef": "42", "networks": "none", "min_count": number}
    answer = cloud.post("/servers", {"server": server, "os:scheduler_hints": {"group": group}})
    assert answer.status == 202, answer.body
    return group, list(cloud.get(f"/os-server-groups/{group}").json["server_group"]["members"])


def _hosts(cloud: Cloud, members: list[str]) -> collections.Counter[str]:
    """Where the members are once all are built or refused, and nothing moves any more."""
    servers = _ended(cloud, members)
    cloud.wait_quiet(30)
    return collections.Counter(each["OS-EXT-SRV-ATTR:host"] for each in servers if each["status"] == "ACTIVE")


def _ended(cloud: Cloud, members: list[str]) -> list[dict[str, Any]]:
    """The members once all are built, or refused with a reason."""

    def ended() -> list[dict[str, Any]] | None:
        shown = [cloud.show(uuid) for uuid in members]
        found = [server for server in shown if server is not None and server["status"] != "BUILD"]
        return found if len(found) == len(members) else None

    servers: list[dict[str, Any]] = until(ended, 40, lambda: "\n".join(str(cloud.show(uuid)) for uuid in members))
    assert all(server["status"] == "ACTIVE" or server["fault"]["message"] for server in servers)
    return servers


def test_members_stay_apart_while_a_scheduler_and_a_conductor_die(cloud: Cloud) -> None:
    for driver in cloud.drivers.values():
        driver.plan.delay("spawn", 0.1)
    _, members = _members(cloud, "anti-affinity", HOSTS)
    cloud.kill("scheduler")
    cloud.kill("conductor")
    assert set(_hosts(cloud, members).values()) == {1}


def test_members_stay_apart_while_builds_fail_and_go_elsewhere(cloud: Cloud) -> None:
    cloud.drivers["host1"].plan.add(FaultRule("spawn", FaultKind.RAISE, times=1))
    cloud.drivers["host2"].plan.add(FaultRule("create_disks", FaultKind.RAISE, times=1))
    _, members = _members(cloud, "anti-affinity", HOSTS - 1)
    hosts = _hosts(cloud, members)
    assert set(hosts.values()) == {1}


def test_members_stay_together_while_a_conductor_dies(cloud: Cloud) -> None:
    for driver in cloud.drivers.values():
        driver.plan.delay("spawn", 0.1)
    _, members = _members(cloud, "affinity", 8)
    cloud.kill("conductor")
    hosts = _hosts(cloud, members)
    assert list(hosts.values()) == [8]


def test_a_dead_hosts_member_finds_no_place_beside_the_others(cloud: Cloud) -> None:
    """The host dies while it builds; every other host has a member: better no place than a second member on one."""
    dying = cloud.drivers["host3"].plan
    dying.delay("spawn", 3.0)
    _, members = _members(cloud, "anti-affinity", HOSTS)
    until(lambda: any(call[0] == "spawn" for call in dying.calls), 20, lambda: "nothing was built on host3")
    cloud.kill("host3")
    _ended(cloud, members)
    cloud.start_host("host3")  # it clears away what it had begun
    assert _hosts(cloud, members) == {"host1": 1, "host2": 1, "host4": 1}


def test_a_member_is_evacuated_to_where_no_member_is(cloud: Cloud) -> None:
    _, members = _members(cloud, "anti-affinity", HOSTS - 1)
    hosts = _hosts(cloud, members)
    (free,) = {f"host{number + 1}" for number in range(HOSTS)} - set(hosts)
    mover = members[0]
    home = str((cloud.show(mover) or {})["OS-EXT-SRV-ATTR:host"])
    cloud.kill(home)

    def accepted() -> bool:
        return cloud.act(mover, "evacuate", {}, token=ADMIN).status == 200

    until(accepted, 20, lambda: f"{home} is not seen to be down")
    moved = cloud.wait(mover, "SHUTOFF", 30)  # it stays stopped from 2.95
    assert moved["OS-EXT-SRV-ATTR:host"] == free
    cloud.start_host(home)
    assert collections.Counter(_hosts(cloud, members[1:])) == {host: 1 for host in hosts if host != home}
