"""Server groups on a cloud of several hosts and schedulers: the policy holds whoever comes at once."""

from __future__ import annotations

import collections
import pathlib
from collections.abc import Iterator
from typing import Any

import pytest

from nova_lite import concurrency
from nova_lite.db.api import allocations, compute_nodes
from nova_lite.virt.fault_plan import FaultKind, FaultRule
from tests.harness.cloud import ADMIN, IMAGE_ID, STRANGER, USER, Answer, Cloud, until

HOSTS = 6


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    options: dict[str, dict[str, Any]] = {
        "quota": {"server_group_members": 40, "server_groups": 50},
        # No host dies here; on a busy machine one that is late with its heartbeats must not count as dead.
        "operations": {"lease_s": 60.0, "service_down_s": 60.0},
        # Hosts that are as good are drawn among: schedulers that decide at once decide differently.
        "filter_scheduler": {"shuffle_best_same_weighed_hosts": True},
    }
    directory: pathlib.Path = tmp_path_factory.mktemp("groups")
    with Cloud(directory, hosts=HOSTS, options=options) as running:
        for name in ("scheduler-b", "scheduler-c"):
            running.start_scheduler(name)
        running.start_conductor("conductor-b")
        yield running


def _group(cloud: Cloud, policy: str, rules: dict[str, int] | None = None, token: str = USER) -> str:
    body = {"name": "web", "policy": policy, **({"rules": rules} if rules else {})}
    answer = cloud.post("/os-server-groups", {"server_group": body}, token=token)
    assert answer.status == 200, answer.body
    return str(answer.json["server_group"]["id"])


def _create(cloud: Cloud, group: str, token: str = USER, **server: Any) -> Answer:
    body = {"name": "m", "imageRef": IMAGE_ID, "flavorRef": "42", "networks": "none", **server}
    return cloud.post("/servers", {"server": body, "os:scheduler_hints": {"group": group}}, token=token)


def _members(cloud: Cloud, group: str) -> list[str]:
    return list(cloud.get(f"/os-server-groups/{group}").json["server_group"]["members"])


def _settled(cloud: Cloud, group: str) -> collections.Counter[str]:
    """Wait until no member is being built; how many are ACTIVE on each host. Who is shelved is nowhere."""
    hosts: collections.Counter[str] = collections.Counter()
    for uuid in _members(cloud, group):
        server = _built(cloud, uuid)
        if server["status"] == "ACTIVE":
            hosts[server["OS-EXT-SRV-ATTR:host"]] += 1
        elif server["status"] != "SHELVED_OFFLOADED":
            assert server["fault"]["message"].startswith("No valid host was found.")
    return hosts


def _built(cloud: Cloud, uuid: str) -> dict[str, Any]:
    """The server when its build has ended, well or not."""

    def done() -> dict[str, Any] | None:
        server = cloud.show(uuid)
        assert server is not None
        return server if server["status"] != "BUILD" else None

    return dict(until(done, 30, lambda: f"still building: {cloud.show(uuid)}"))


def _remove(cloud: Cloud, group: str) -> None:
    members = _members(cloud, group)
    for uuid in members:
        assert cloud.delete(f"/servers/{uuid}").status == 204
    for uuid in members:
        cloud.wait_gone(uuid)
    assert cloud.delete(f"/os-server-groups/{group}").status == 204
    cloud.wait_quiet()


def _at_once(cloud: Cloud, group: str, number: int) -> None:
    """So many requests at the same moment, each of one server."""
    threads = [concurrency.spawn(_create, cloud, group) for _ in range(number)]
    assert [thread.wait(20).status for thread in threads] == [202] * number


def test_anti_affinity_holds_for_twenty_at_once(cloud: Cloud) -> None:
    group = _group(cloud, "anti-affinity")
    _at_once(cloud, group, 20)
    hosts = _settled(cloud, group)
    assert hosts == dict.fromkeys((f"host{number + 1}" for number in range(HOSTS)), 1)
    assert len(_members(cloud, group)) == 20
    _remove(cloud, group)


def test_anti_affinity_with_a_rule_fills_each_host_that_far(cloud: Cloud) -> None:
    group = _group(cloud, "anti-affinity", {"max_server_per_host": 2})
    assert _create(cloud, group, min_count=14, max_count=14).status == 202
    assert sorted(_settled(cloud, group).values()) == [2] * HOSTS
    _remove(cloud, group)


def test_affinity_holds_for_twenty_at_once(cloud: Cloud) -> None:
    group = _group(cloud, "affinity")
    _at_once(cloud, group, 20)
    assert list(_settled(cloud, group).values()) == [20]
    _remove(cloud, group)


@pytest.mark.parametrize(("policy", "most"), [("soft-anti-affinity", 1), ("soft-affinity", HOSTS)])
def test_a_soft_policy_is_kept_where_it_can_be(cloud: Cloud, policy: str, most: int) -> None:
    group = _group(cloud, policy)
    for _ in range(HOSTS):
        assert _create(cloud, group).status == 202
        hosts = _settled(cloud, group)
    assert max(hosts.values()) == most and sum(hosts.values()) == HOSTS
    assert _create(cloud, group).status == 202
    assert sum(_settled(cloud, group).values()) == HOSTS + 1, "no host is refused for a wish"
    _remove(cloud, group)


def test_a_group_of_others_is_unknown(cloud: Cloud) -> None:
    group = _group(cloud, "affinity", token=STRANGER)
    for missing in (group, "00000000-0000-4000-8000-000000000000"):
        answer = _create(cloud, missing)
        assert answer.status == 400
        assert answer.json["badRequest"]["message"] == f"Instance group {missing} could not be found."
        assert cloud.get(f"/os-server-groups/{missing}").status == 404
        assert cloud.delete(f"/os-server-groups/{missing}").status == 404
    assert cloud.get(f"/os-server-groups/{group}", token=ADMIN).status == 200
    everybodys = cloud.get("/os-server-groups?all_projects=1", token=ADMIN).json["server_groups"]
    assert group in {each["id"] for each in everybodys}
    assert cloud.get("/os-server-groups?all_projects=1").json == {"server_groups": []}
    assert cloud.delete(f"/os-server-groups/{group}", token=STRANGER).status == 204


def test_a_deleted_group_lets_its_members_go(cloud: Cloud) -> None:
    group = _group(cloud, "anti-affinity")
    _create(cloud, group)
    (server,) = _members(cloud, group)
    _settled(cloud, group)
    assert cloud.get(f"/servers/{server}").json["server"]["server_groups"] == [group]
    assert cloud.delete(f"/os-server-groups/{group}").status == 204
    assert cloud.get(f"/servers/{server}").json["server"]["server_groups"] == []
    assert cloud.delete(f"/servers/{server}").status == 204
    cloud.wait_gone(server)


def test_the_quota_of_members_is_exact_at_once(cloud: Cloud) -> None:
    project = USER.split(":")[1]
    limit = {"quota_set": {"server_group_members": 3, "force": True}}
    assert cloud.request("PUT", f"/os-quota-sets/{project}", limit, token=ADMIN).status == 200
    group = _group(cloud, "soft-affinity")
    threads = [concurrency.spawn(_create, cloud, group) for _ in range(8)]
    answers = [thread.wait(20) for thread in threads]
    assert sorted(answer.status for answer in answers) == [202] * 3 + [403] * 5
    refused = next(answer for answer in answers if answer.status == 403)
    assert refused.json["forbidden"]["message"] == "Quota exceeded, too many servers in group"
    assert cloud.delete(f"/os-quota-sets/{project}", token=ADMIN).status == 202
    _settled(cloud, group)
    _remove(cloud, group)


def test_the_quota_of_groups_is_exact_at_once(cloud: Cloud) -> None:
    project = USER.split(":")[1]
    limit = {"quota_set": {"server_groups": 2}}
    assert cloud.request("PUT", f"/os-quota-sets/{project}", limit, token=ADMIN).status == 200
    body = {"server_group": {"name": "g", "policy": "affinity"}}
    threads = [concurrency.spawn(cloud.post, "/os-server-groups", body) for _ in range(6)]
    answers = [thread.wait(20) for thread in threads]
    assert sorted(answer.status for answer in answers) == [200] * 2 + [403] * 4
    refused = next(answer for answer in answers if answer.status == 403)
    assert refused.json["forbidden"]["message"] == "Quota exceeded, too many server groups."
    assert cloud.get("/limits").json["limits"]["absolute"]["totalServerGroupsUsed"] == 2
    for answer in answers:
        if answer.status == 200:
            assert cloud.delete(f"/os-server-groups/{answer.json['server_group']['id']}").status == 204
    assert cloud.delete(f"/os-quota-sets/{project}", token=ADMIN).status == 202
    cloud.wait_quiet()


def test_a_build_that_goes_elsewhere_keeps_the_policy(cloud: Cloud) -> None:
    """A host that refuses gives its claim back: the next host is again one without a member."""
    group = _group(cloud, "anti-affinity")
    cloud.drivers["host1"].plan.add(FaultRule("spawn", FaultKind.RAISE, times=1))
    assert _create(cloud, group, min_count=HOSTS - 1, max_count=HOSTS - 1).status == 202
    hosts = _settled(cloud, group)
    assert sum(hosts.values()) >= HOSTS - 2 and set(hosts.values()) == {1}
    where = {node.uuid: node.host for node in compute_nodes.list_all()}
    claimed = [where[claim.node_uuid] for claim in allocations.list() if claim.instance_uuid in _members(cloud, group)]
    assert len(claimed) == len(set(claimed))
    _remove(cloud, group)


# -- what moves stays within the policy ---------------------------------------------------------------


def _full_but_one(cloud: Cloud, group: str) -> tuple[str, str]:
    """A member on each host but one; the first member, and the free host."""
    assert _create(cloud, group, min_count=HOSTS - 1, max_count=HOSTS - 1).status == 202
    hosts = _settled(cloud, group)
    (free,) = {f"host{number + 1}" for number in range(HOSTS)} - set(hosts)
    return _members(cloud, group)[0], free


def _where(cloud: Cloud, server: str) -> str:
    shown = cloud.show(server)
    assert shown is not None
    return str(shown["OS-EXT-SRV-ATTR:host"])


def test_a_cold_move_goes_where_no_member_is(cloud: Cloud) -> None:
    group = _group(cloud, "anti-affinity")
    mover, free = _full_but_one(cloud, group)
    source = _where(cloud, mover)
    assert cloud.act(mover, "migrate", token=ADMIN).status == 202
    assert cloud.wait(mover, "VERIFY_RESIZE")["OS-EXT-SRV-ATTR:host"] == free
    assert _create(cloud, group).status == 202
    newest = _members(cloud, group)[-1]
    assert _built(cloud, newest)["status"] == "ERROR", f"{source} is kept for the way back"
    assert cloud.act(mover, "revertResize").status == 202
    assert cloud.wait(mover, "ACTIVE")["OS-EXT-SRV-ATTR:host"] == source
    _remove(cloud, group)


def test_a_live_move_goes_where_no_member_is(cloud: Cloud) -> None:
    group = _group(cloud, "anti-affinity")
    mover, free = _full_but_one(cloud, group)
    body = {"host": None, "block_migration": "auto"}
    assert cloud.act(mover, "os-migrateLive", body, token=ADMIN).status == 202
    until(lambda: _where(cloud, mover) == free, 10, lambda: str(cloud.show(mover)))
    cloud.wait(mover, "ACTIVE")
    assert _create(cloud, group).status == 202
    assert sorted(_settled(cloud, group).values()) == [1] * HOSTS
    assert cloud.act(mover, "os-migrateLive", body, token=ADMIN).status == 202
    cloud.wait(mover, "ACTIVE")
    assert _where(cloud, mover) == free, "there is no host without a member"
    _remove(cloud, group)


def test_a_shelved_member_comes_back_where_no_member_is(cloud: Cloud) -> None:
    group = _group(cloud, "anti-affinity")
    mover, free = _full_but_one(cloud, group)
    assert cloud.act(mover, "shelve").status == 202
    cloud.wait(mover, "SHELVED_OFFLOADED")
    assert _create(cloud, group, min_count=2, max_count=2).status == 202
    assert sorted(_settled(cloud, group).values()) == [1] * HOSTS
    assert cloud.act(mover, "unshelve", None).status == 202

    def refused() -> bool:
        shown = cloud.show(mover)
        return shown is not None and shown["OS-EXT-STS:task_state"] is None

    until(refused, 10, lambda: str(cloud.show(mover)))
    assert _where(cloud, mover) == "None"
    gone = next(uuid for uuid in _members(cloud, group) if uuid != mover and _where(cloud, uuid) == free)
    assert cloud.delete(f"/servers/{gone}").status == 204
    cloud.wait_gone(gone)
    assert cloud.act(mover, "unshelve", None).status == 202
    assert cloud.wait(mover, "ACTIVE")["OS-EXT-SRV-ATTR:host"] == free
    _remove(cloud, group)
