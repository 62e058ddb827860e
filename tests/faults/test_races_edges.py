"""The last place, the last of a quota, the last host of a group: of all who come at once exactly the right number win.

RELIABILITY.md R14 to R16 and invariants I4 and I7. The same edges on MariaDB and PostgreSQL, in the storage alone:
tests/harness/races.py.
"""

from __future__ import annotations

import collections
import re
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from nova_lite import quota
from nova_lite.db.api import allocations, instances, operations
from tests.harness.cloud import ADMIN, IMAGE_ID, Answer, Cloud, until
from tests.harness.crowd import at_once

CROWD = 100
# m1.nano: a vCPU, 128 MiB.
BODY = {"name": "racer", "imageRef": IMAGE_ID, "flavorRef": "42", "networks": "none"}
# More hosts than members of any group here, and room for everybody on most of them.
HOSTS = 4


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    options = {"filter_scheduler": {"shuffle_best_same_weighed_hosts": True}}
    with Cloud(tmp_path_factory.mktemp("cloud"), hosts=HOSTS, options=options) as running:
        running.start_scheduler("scheduler-b")
        running.start_conductor("conductor-b")
        yield running


@pytest.fixture
def user(cloud: Cloud) -> Iterator[str]:
    """A user of a project of his own; what he made is gone in the end, and his books say so."""
    project = uuid.uuid4().hex
    token = f"racer:{project}"
    yield token
    left = [server["id"] for server in cloud.get("/servers", token=token).json["servers"]]
    for server in left:
        cloud.delete(f"/servers/{server}", token=token)
    for server in left:
        cloud.wait_gone(server)
    cloud.wait_quiet()
    used = quota.usage(project)
    assert [used[name] for name in ("instances", "cores", "ram")] == [0, 0, 0]


def _limit(cloud: Cloud, token: str, **limits: int) -> None:
    project = token.partition(":")[2]
    answer = cloud.request("PUT", f"/os-quota-sets/{project}", {"quota_set": {**limits, "force": True}}, token=ADMIN)
    assert answer.status == 200, answer.body


def _ended(servers: list[str]) -> list[Any]:
    """The servers' rows once every build is done or refused."""

    def all_ended() -> bool:
        return all(instances.get(each).vm_state in ("active", "error") for each in servers)

    until(all_ended, 60, lambda: str(collections.Counter(instances.get(each).vm_state for each in servers)))
    return [instances.get(each) for each in servers]


# -- the last place -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("places", "elsewhere"), [(1, 0), (1, 4)])
def test_fifty_requests_for_the_last_place(cloud: Cloud, user: str, places: int, elsewhere: int) -> None:
    """Two schedulers sell one place, and what is free on another host; whoever gets none is told why."""
    room = {"host1": places, "host2": elsewhere}
    for name in ("host1", "host2", "host3", "host4"):
        cloud.stop(name)
    for name, free in room.items():
        if free:
            cloud.start_host(name, sizes=(1000, 512 + free * 128, 1000))
    down = [name for name in ("host1", "host2", "host3", "host4") if not room.get(name)]
    until(lambda: not _up(cloud) & set(down), 10, lambda: f"{down} are not seen to be down")
    try:
        answers = at_once(50, lambda _: cloud.post("/servers", {"server": BODY}, token=user))
        assert collections.Counter(answer.status for answer in answers) == {202: 50}
        rows = _ended([answer.json["server"]["id"] for answer in answers])
        won = collections.Counter(row.host for row in rows if row.vm_state == "active")
        assert won == {name: free for name, free in room.items() if free}
        lost = [row for row in rows if row.vm_state == "error"]
        assert len(lost) == 50 - places - elsewhere
        for row in lost:
            assert row.fault is not None and row.fault.message.startswith("No valid host was found."), row.fault
            verdict = operations.newest_with_verdict(row.uuid)
            assert verdict is not None and verdict.verdict, "nobody can be told why"
        assert allocations.audit() == []
        cloud.wait_quiet()
    finally:
        for name in ("host1", "host2", "host3", "host4"):
            if name in cloud.services:
                for row in instances.on_host(name):
                    cloud.delete(f"/servers/{row.uuid}", token=ADMIN)
                until(lambda name=name: not instances.on_host(name), 20, lambda: "not emptied")
                cloud.stop(name)
            cloud.start_host(name)


def _up(cloud: Cloud) -> set[str]:
    found = cloud.get("/os-services?binary=nova-compute", token=ADMIN).json["services"]
    return {each["host"] for each in found if each["state"] == "up"}


# -- quota ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("limits", "fits", "sentence"),
    [
        ({"instances": 7}, 7, "Quota exceeded for instances: Requested 1, but already used 7 of 7 instances"),
        ({"cores": 5}, 5, "Quota exceeded for cores: Requested 1, but already used 5 of 5 cores"),
        ({"ram": 6 * 128 + 64}, 6, "Quota exceeded for ram: Requested 128, but already used 768 of 832 ram"),
    ],
)
def test_a_hundred_creations_at_the_edge(
    cloud: Cloud, user: str, limits: dict[str, int], fits: int, sentence: str
) -> None:
    _limit(cloud, user, **limits)
    answers = at_once(CROWD, lambda _: cloud.post("/servers", {"server": BODY}, token=user))
    assert collections.Counter(answer.status for answer in answers) == {202: fits, 403: CROWD - fits}
    said = {answer.json["forbidden"]["message"] for answer in answers if answer.status == 403}
    assert sentence in said
    # who was refused by the look before the transaction may have seen fewer in use, never more than the limit
    patterns = {re.sub(r"used \d+", "used N", each) for each in said}
    assert patterns == {re.sub(r"used \d+", "used N", sentence)}
    live = cloud.get("/servers/detail", token=user).json["servers"]
    assert len(live) == fits
    assert quota.usage(user.partition(":")[2]) == {"instances": fits, "cores": fits, "ram": fits * 128}


def test_several_servers_a_request_all_or_fewer_never_too_many(cloud: Cloud, user: str) -> None:
    """min_count 2, max_count 3: a request gets three, two or none; ten are the limit and at most one stays free."""
    _limit(cloud, user, instances=10)
    body = {"server": {**BODY, "min_count": 2, "max_count": 3}}
    answers = at_once(20, lambda _: cloud.post("/servers", body, token=user))
    statuses = collections.Counter(answer.status for answer in answers)
    live = len(cloud.get("/servers", token=user).json["servers"])
    assert set(statuses) == {202, 403}
    assert 2 * statuses[202] <= live <= min(10, 3 * statuses[202])
    assert live >= 9, "another pair would have fitted"
    assert quota.usage(user.partition(":")[2])["instances"] == live


def test_resizes_at_the_edge_of_cores(cloud: Cloud, user: str) -> None:
    """Six servers of one vCPU want two; two more vCPUs are left."""
    answers = at_once(6, lambda _: cloud.post("/servers", {"server": BODY}, token=user))
    servers = [answer.json["server"]["id"] for answer in answers]
    _ended(servers)
    _limit(cloud, user, cores=8)
    resized = at_once(6, lambda n: cloud.act(servers[n], "resize", {"flavorRef": "3"}, token=user).status)
    assert collections.Counter(resized) == {202: 2, 403: 4}
    for server, status in zip(servers, resized, strict=True):
        cloud.wait(server, "VERIFY_RESIZE" if status == 202 else "ACTIVE")
    assert quota.usage(user.partition(":")[2])["cores"] == 8
    cloud.wait_quiet()


def test_a_crowd_that_creates_and_deletes_keeps_its_books(cloud: Cloud, user: str) -> None:
    """At the edge of five, forty create and delete what they got, in threads: never more than five, in the end none."""
    _limit(cloud, user, instances=5)
    most: list[int] = []

    def churn(_: int) -> str:
        answer = cloud.post("/servers", {"server": BODY}, token=user)
        most.append(len(cloud.get("/servers", token=user).json["servers"]))
        if answer.status == 202:
            assert cloud.delete(f"/servers/{answer.json['server']['id']}", token=user).status == 204
        return str(answer.status)

    outcomes = collections.Counter(at_once(40, churn))
    assert set(outcomes) <= {"202", "403"} and outcomes["202"] >= 5
    assert max(most) <= 5
    until(lambda: not cloud.get("/servers", token=user).json["servers"], 20, lambda: "servers are left")
    assert quota.usage(user.partition(":")[2]) == {"instances": 0, "cores": 0, "ram": 0}


def _keypair(cloud: Cloud, user: str, number: int) -> Answer:
    key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIL0g6Kr8mXw1Jm0k1o2UvLzHn5yqf2cQm2kS7Yk8x9aB racer"
    body = {"keypair": {"name": f"key-{number}", "public_key": key, "type": "ssh"}}
    return cloud.post("/os-keypairs", body, token=user)


def _group(cloud: Cloud, user: str, number: int) -> Answer:
    return cloud.post("/os-server-groups", {"server_group": {"name": f"g{number}", "policy": "affinity"}}, token=user)


@pytest.mark.parametrize(
    ("resource", "make", "path", "key", "sentence"),
    [
        ("key_pairs", _keypair, "/os-keypairs", "keypairs", "Quota exceeded, too many key pairs."),
        ("server_groups", _group, "/os-server-groups", "server_groups", "Quota exceeded, too many server groups."),
    ],
)
def test_a_hundred_others_at_the_edge(
    cloud: Cloud, user: str, resource: str, make: Callable[..., Answer], path: str, key: str, sentence: str
) -> None:
    # key pairs are a user's, not a project's: a name that no other test has
    user = user.replace("racer", f"racer-{resource}")
    _limit(cloud, user, **{resource: 9})
    answers = at_once(CROWD, lambda number: make(cloud, user, number))
    refused = [answer for answer in answers if answer.status == 403]
    assert len(refused) == CROWD - 9
    assert {answer.status for answer in answers} - {403} <= {200, 201}
    assert {answer.json["forbidden"]["message"] for answer in refused} == {sentence}
    assert len(cloud.get(path, token=user).json[key]) == 9
    assert cloud.violations() == []


def test_members_at_the_edge_of_a_group(cloud: Cloud, user: str) -> None:
    _limit(cloud, user, server_group_members=6)
    body = {"server_group": {"name": "g", "policy": "soft-affinity"}}
    group = cloud.post("/os-server-groups", body, token=user).json["server_group"]["id"]
    request = {"server": BODY, "os:scheduler_hints": {"group": group}}
    answers = at_once(40, lambda _: cloud.post("/servers", request, token=user))
    assert collections.Counter(answer.status for answer in answers) == {202: 6, 403: 34}
    said = {answer.json["forbidden"]["message"] for answer in answers if answer.status == 403}
    assert said == {"Quota exceeded, too many servers in group"}
    members = cloud.get(f"/os-server-groups/{group}", token=user).json["server_group"]["members"]
    assert len(members) == 6
    assert cloud.delete(f"/os-server-groups/{group}", token=user).status == 204


# -- apart ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def members(cloud: Cloud, user: str) -> Callable[[int], tuple[str, list[str]]]:
    """Makes an anti-affinity group and asks for so many members, each in a request of its own, all at once."""

    def make(number: int) -> tuple[str, list[str]]:
        body = {"server_group": {"name": "apart", "policy": "anti-affinity"}}
        group = cloud.post("/os-server-groups", body, token=user).json["server_group"]["id"]
        request = {"server": BODY, "os:scheduler_hints": {"group": group}}
        answers = at_once(number, lambda _: cloud.post("/servers", request, token=user))
        assert {answer.status for answer in answers} == {202}
        return group, [answer.json["server"]["id"] for answer in answers]

    return make


def _where(cloud: Cloud, servers: list[str]) -> dict[str, str]:
    return {server: str((cloud.show(server) or {})["OS-EXT-SRV-ATTR:host"]) for server in servers}


def test_ten_members_for_four_hosts(cloud: Cloud, user: str, members: Callable[[int], tuple[str, list[str]]]) -> None:
    _, servers = members(10)
    rows = _ended(servers)
    assert collections.Counter(row.host for row in rows if row.vm_state == "active") == {
        f"host{number + 1}": 1 for number in range(HOSTS)
    }  # fmt: skip
    faults = [row.fault for row in rows if row.vm_state == "error"]
    assert len(faults) == 6 and all(fault and "No valid host" in fault.message for fault in faults)
    cloud.wait_quiet()
    _forget_group(cloud, user)


def test_members_that_migrate_at_once_stay_apart(
    cloud: Cloud, user: str, members: Callable[[int], tuple[str, list[str]]]
) -> None:
    """Three members on four hosts all want to leave at once: one gets the free host, and all go back or stay."""
    _, servers = members(3)
    assert {row.vm_state for row in _ended(servers)} == {"active"}
    cloud.wait_quiet()
    before = _where(cloud, servers)
    (free,) = {f"host{number + 1}" for number in range(HOSTS)} - set(before.values())
    assert at_once(3, lambda n: cloud.act(servers[n], "migrate", token=ADMIN).status) == [202] * 3

    def settled() -> bool:
        return all(instances.get(each).task_state is None for each in servers)

    until(settled, 30, lambda: str([instances.get(each).task_state for each in servers]))
    cloud.wait_quiet()
    moved = [server for server in servers if instances.get(server).vm_state == "resized"]
    assert [instances.get(server).host for server in moved] == [free]
    assert cloud.act(moved[0], "revertResize", token=ADMIN).status == 202
    cloud.wait(moved[0], "ACTIVE")
    assert _where(cloud, servers) == before, "a place was sold to which somebody may return"
    cloud.wait_quiet()
    _forget_group(cloud, user)


@pytest.mark.parametrize("free", [1, 2])
def test_members_that_are_evacuated_at_once_stay_apart(
    cloud: Cloud, user: str, members: Callable[[int], tuple[str, list[str]]], free: int
) -> None:
    """Two hosts with a member each die; one or two others are free: that many find a place, and the other waits."""
    _, servers = members(HOSTS - free)
    assert {row.vm_state for row in _ended(servers)} == {"active"}
    cloud.wait_quiet()
    before = _where(cloud, servers)
    lost = servers[:2]
    dead = [before[server] for server in lost]
    cloud.silence(*dead)
    try:
        assert at_once(2, lambda n: cloud.act(lost[n], "evacuate", {}, token=ADMIN).status) == [200, 200]

        def settled() -> bool:
            return all(instances.get(each).task_state is None for each in lost)

        until(settled, 30, lambda: str([instances.get(each).task_state for each in lost]))
        rows = [instances.get(each) for each in lost]
        assert len([row for row in rows if row.host not in dead]) == free
        for row in rows:
            assert row.host not in dead or (row.fault and "No valid host" in row.fault.message)
    finally:
        for name in dead:
            cloud.revive(name)
    cloud.wait_quiet(30)
    homes = _where(cloud, servers)
    assert len(set(homes.values())) == len(servers)
    _forget_group(cloud, user)


def _forget_group(cloud: Cloud, user: str) -> None:
    for group in cloud.get("/os-server-groups", token=user).json["server_groups"]:
        assert cloud.delete(f"/os-server-groups/{group['id']}", token=user).status == 204
