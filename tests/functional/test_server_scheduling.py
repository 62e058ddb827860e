"""GET /servers/{id}/scheduling: why a server is where it is, for administrators."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.harness.cloud import ADMIN, USER, Cloud


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    with Cloud(tmp_path_factory.mktemp("cloud"), hosts=2) as running:
        yield running


def test_a_server_that_found_a_host(cloud: Cloud) -> None:
    server = cloud.boot()
    shown = cloud.get(f"/servers/{server['id']}/scheduling", token=ADMIN)
    found = shown.json["scheduling"]
    assert (shown.status, found["action"], found["hosts_considered"]) == (200, "create", 2)
    assert found["chosen_host"] == server["OS-EXT-SRV-ATTR:host"]
    assert set(found["weights"]) == {"host1", "host2"}
    assert (found["refusals"], found["refused_by_filter"], found["nearest_miss"]) == ([], {}, None)
    assert found["summary"] == "2 host(s) considered."
    actions = cloud.get(f"/servers/{server['id']}/os-instance-actions", token=ADMIN).json["instanceActions"]
    assert found["request_id"] == actions[-1]["request_id"]


def test_a_server_that_found_none(cloud: Cloud) -> None:
    flavor = {"flavor": {"name": "wide", "id": "wide", "ram": 64, "vcpus": 1, "disk": 9_000_000}}
    assert cloud.post("/flavors", flavor, token=ADMIN).status == 200
    server = cloud.boot(flavorRef="wide", wait=None)["id"]
    cloud.wait(server, "ERROR")
    found = cloud.get(f"/servers/{server}/scheduling", token=ADMIN).json["scheduling"]
    assert found["chosen_host"] is None
    assert sum(found["refused_by_filter"].values()) == 2
    assert {each["host"] for each in found["refusals"]} == {"host1", "host2"}
    assert all(each["reason"] and each["filter"] for each in found["refusals"])
    assert cloud.delete(f"/servers/{server}").status == 204
    cloud.wait_gone(server)
    assert cloud.get(f"/servers/{server}/scheduling", token=ADMIN).json["scheduling"] == found


def test_the_newest_counts(cloud: Cloud) -> None:
    server = cloud.boot()
    assert cloud.act(server["id"], "migrate", token=ADMIN).status == 202
    moved = cloud.wait(server["id"], "VERIFY_RESIZE")
    found = cloud.get(f"/servers/{server['id']}/scheduling", token=ADMIN).json["scheduling"]
    assert (found["action"], found["chosen_host"]) == ("migrate", moved["OS-EXT-SRV-ATTR:host"])
    assert moved["OS-EXT-SRV-ATTR:host"] != server["OS-EXT-SRV-ATTR:host"]


def test_it_is_not_for_everybody_and_not_nothing(cloud: Cloud) -> None:
    server = cloud.boot()["id"]
    refused = cloud.get(f"/servers/{server}/scheduling", token=USER)
    assert (refused.status, refused.json["forbidden"]["message"]) == (
        403, "Policy doesn't allow os_compute_api:nova-lite:server-scheduling:show to be performed.",
    )  # fmt: skip
    nobody = "11111111-2222-3333-4444-555555555555"
    assert cloud.get(f"/servers/{nobody}/scheduling", token=ADMIN).status == 404
    cloud.stop("scheduler")
    try:
        waits = cloud.boot(wait=None)["id"]
        answer = cloud.get(f"/servers/{waits}/scheduling", token=ADMIN)
        assert (answer.status, answer.json["itemNotFound"]["message"]) == (
            404, f"Instance {waits} has not been scheduled",
        )  # fmt: skip
    finally:
        cloud.start_scheduler()
    cloud.wait(waits, "ACTIVE")
