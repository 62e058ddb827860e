"""Tags of servers through the whole cloud."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from nova_lite import concurrency
from tests.harness.cloud import ADMIN, STRANGER, USER, Cloud


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    with Cloud(tmp_path_factory.mktemp("cloud")) as running:
        yield running


@pytest.fixture(scope="module")
def server(cloud: Cloud) -> str:
    return str(cloud.boot()["id"])


@pytest.fixture
def path(cloud: Cloud, server: str) -> str:
    path = f"/servers/{server}/tags"
    assert cloud.request("PUT", path, {"tags": ["tag2", "tag1", "tag1"]}).json == {"tags": ["tag1", "tag2"]}
    return path


def _listed(cloud: Cloud, query: str) -> list[str]:
    return [each["id"] for each in cloud.get(f"/servers?{query}").json["servers"]]


def test_reading_and_changing(cloud: Cloud, server: str, path: str) -> None:
    assert cloud.get(path).json == {"tags": ["tag1", "tag2"]}
    assert cloud.get(f"/servers/{server}").json["server"]["tags"] == ["tag1", "tag2"]
    assert (cloud.get(f"{path}/tag1").status, cloud.get(f"{path}/tag1").body) == (204, b"")
    new = cloud.request("PUT", f"{path}/tag%203")
    assert (new.status, new.body) == (201, b"")
    assert new.headers["Location"] == f"http://127.0.0.1:8774/v2.1/servers/{server}/tags/tag%203"
    again = cloud.request("PUT", f"{path}/tag%203")
    assert (again.status, "Location" in again.headers) == (204, False)
    assert cloud.delete(f"{path}/tag1").status == 204
    assert cloud.get(path).json == {"tags": ["tag 3", "tag2"]}
    assert cloud.delete(path).status == 204
    assert cloud.get(path).json == {"tags": []}


def test_lists_are_filtered_by_what_was_changed(cloud: Cloud, server: str, path: str) -> None:
    assert _listed(cloud, "tags=tag1,tag2") == [server]
    cloud.delete(f"{path}/tag2")
    assert (_listed(cloud, "tags=tag1,tag2"), _listed(cloud, "tags-any=tag1,tag2")) == ([], [server])
    cloud.delete(path)
    assert _listed(cloud, "tags-any=tag1,tag2") == []


@pytest.mark.parametrize(
    ("method", "tail", "body", "status"),
    [
        ("GET", "/zzz", None, 404),
        ("DELETE", "/zzz", None, 404),
        ("PUT", "/a,b", None, 400),
        ("PUT", "/" + "x" * 61, None, 400),
        ("PUT", "/x", {"tag": "x"}, 400),
        ("PUT", "", {"tags": [f"t{number}" for number in range(51)]}, 400),
        ("PUT", "", {"tags": ["a/b"]}, 400),
        ("PUT", "", {"tags": [""]}, 400),
        ("PUT", "", {"tags": ["x" * 61]}, 400),
        ("PUT", "", {"tags": "x"}, 400),
        ("PUT", "", {}, 400),
    ],
)
def test_refusals(cloud: Cloud, path: str, method: str, tail: str, body: object, status: int) -> None:
    answer = cloud.request(method, path + tail, body)
    assert answer.status == status, answer.body
    assert cloud.get(path).json == {"tags": ["tag1", "tag2"]}


def test_words(cloud: Cloud, server: str, path: str) -> None:
    missing = cloud.delete(f"{path}/bar").json["itemNotFound"]["message"]
    assert missing == f"Server {server} has no tag 'bar'"
    bad = cloud.request("PUT", f"{path}/a,b").json["badRequest"]["message"]
    assert bad.startswith("Tag 'a,b' is invalid. It must be a non empty string without characters '/' and ','.")


def test_the_fifty_first_tag_is_one_too_many(cloud: Cloud, path: str) -> None:
    assert cloud.request("PUT", path, {"tags": [f"t{number}" for number in range(50)]}).status == 200
    assert cloud.request("PUT", f"{path}/t0").status == 204
    answer = cloud.request("PUT", f"{path}/new")
    assert (answer.status, answer.json["badRequest"]["message"]) == (
        400, "The number of tags exceeded the per-server limit 50",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("method", "tail", "body", "verb"),
    [
        ("PUT", "", {"tags": []}, "update tags"), ("PUT", "/new", None, "update tag"),
        ("DELETE", "", None, "delete tags"), ("DELETE", "/tag1", None, "delete tag"),
    ],
)  # fmt: skip
def test_a_server_in_error_is_refused_and_says_which_change(
    cloud: Cloud, server: str, path: str, method: str, tail: str, body: object, verb: str
) -> None:
    assert cloud.act(server, "os-resetState", {"state": "error"}, token=ADMIN).status == 202
    try:
        answer = cloud.request(method, path + tail, body)
        message = f"Cannot '{verb}' instance {server} while it is in vm_state error"
        assert (answer.status, answer.json["conflictingRequest"]["message"]) == (409, message)
    finally:
        assert cloud.act(server, "os-resetState", {"state": "active"}, token=ADMIN).status == 202


def test_who_may(cloud: Cloud, server: str, path: str) -> None:
    assert cloud.get(path, version="2.25", token=USER).status == 404
    assert cloud.get(path, token=STRANGER).status == 404
    assert cloud.request("PUT", f"{path}/x", token=STRANGER).status == 404
    assert cloud.act(server, "lock").status == 202
    assert cloud.request("PUT", f"{path}/locked").status == 201, "a lock does not mind tags"
    assert cloud.act(server, "unlock").status == 202


def test_writers_at_once_lose_nothing(cloud: Cloud, path: str) -> None:
    writers = [concurrency.spawn(cloud.request, "PUT", f"{path}/w{number}") for number in range(6)]
    assert [writer.wait(20).status for writer in writers] == [201] * 6
    assert cloud.get(path).json == {"tags": ["tag1", "tag2", *(f"w{number}" for number in range(6))]}
