"""Metadata of servers through the whole cloud."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from nova_lite import concurrency
from tests.harness.cloud import ADMIN, STRANGER, Cloud


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    with Cloud(tmp_path_factory.mktemp("cloud"), options={"quota": {"metadata_items": 5}}) as running:
        yield running


@pytest.fixture(scope="module")
def server(cloud: Cloud) -> str:
    return str(cloud.boot()["id"])


@pytest.fixture
def path(cloud: Cloud, server: str) -> str:
    path = f"/servers/{server}/metadata"
    assert cloud.request("PUT", path, {"metadata": {"a": "1"}}).json == {"metadata": {"a": "1"}}
    return path


def test_reading_and_changing(cloud: Cloud, path: str) -> None:
    assert cloud.get(path).json == {"metadata": {"a": "1"}}
    assert cloud.get(f"{path}/a").json == {"meta": {"a": "1"}}
    assert cloud.post(path, {"metadata": {"b": "2", "a": "3"}}).json == {"metadata": {"a": "3", "b": "2"}}
    assert cloud.request("PUT", f"{path}/b", {"meta": {"b": ""}}).json == {"meta": {"b": ""}}
    assert cloud.get(path).json == {"metadata": {"a": "3", "b": ""}}
    answer = cloud.delete(f"{path}/b")
    assert (answer.status, answer.body) == (204, b"")
    assert cloud.request("PUT", path, {"metadata": {}}).json == {"metadata": {}}


@pytest.mark.parametrize(
    ("method", "tail", "body", "status", "message"),
    [
        ("GET", "/zzz", None, 404, "Metadata item was not found"),
        ("DELETE", "/zzz", None, 404, "Metadata item was not found"),
        ("PUT", "/a", {"meta": {"b": "2"}}, 400, "Request body and URI mismatch"),
        ("PUT", "/a", {"meta": {}}, 400, "Invalid input for field/attribute meta. Value: {}. {} should be non-empty"),
        ("PUT", "/a", {"meta": {"a": "1", "b": "2"}}, 400, None),
        ("PUT", "/a", {"metadata": {"a": "1"}}, 400, None),
        ("POST", "", {"metadata": {"a": None}}, 400, None),
        ("POST", "", {"metadata": {"": "x"}}, 400, None),
        ("POST", "", {"metadata": {"ä": "x"}}, 400, None),
        ("POST", "", {"metadata": {"a": "x" * 256}}, 400, None),
        ("POST", "", None, 400, "None is not of type 'object'"),
        ("POST", "", {"metadata": {str(number): "" for number in range(5)}}, 403,
         "Maximum number of metadata items exceeds 5"),
    ],
)  # fmt: skip
def test_refusals(
    cloud: Cloud, path: str, method: str, tail: str, body: object, status: int, message: str | None
) -> None:
    answer = cloud.request(method, path + tail, body)
    (error,) = answer.json.values()
    assert (answer.status, error["code"]) == (status, status)
    assert message is None or error["message"] == message
    assert cloud.get(path).json == {"metadata": {"a": "1"}}


def test_the_quota_is_for_what_there_will_be(cloud: Cloud, path: str) -> None:
    full = {str(number): "" for number in range(5)}
    assert cloud.request("PUT", path, {"metadata": full}).status == 200
    assert cloud.post(path, {"metadata": {"0": "again"}}).status == 200
    assert cloud.request("PUT", f"{path}/new", {"meta": {"new": ""}}).status == 403


def test_another_project_sees_and_changes_nothing(cloud: Cloud, path: str) -> None:
    for method, body in (("GET", None), ("PUT", {"metadata": {}}), ("POST", {"metadata": {}})):
        assert cloud.request(method, path, body, token=STRANGER).status == 404
    assert cloud.delete(f"{path}/a", token=STRANGER).status == 404


def test_a_locked_server_keeps_its_metadata(cloud: Cloud, server: str, path: str) -> None:
    assert cloud.act(server, "lock").status == 202
    try:
        for method, tail, body in (("PUT", "", {"metadata": {}}), ("DELETE", "/a", None)):
            answer = cloud.request(method, path + tail, body)
            assert (answer.status, answer.json["conflictingRequest"]["message"]) == (
                409, f"Instance {server} is locked",
            )  # fmt: skip
        assert cloud.post(path, {"metadata": {"b": "admin"}}, token=ADMIN).status == 200
    finally:
        assert cloud.act(server, "unlock").status == 202


def test_a_server_in_error_is_refused_in_the_contracts_words(cloud: Cloud, path: str, server: str) -> None:
    assert cloud.act(server, "os-resetState", {"state": "error"}, token=ADMIN).status == 202
    try:
        for method, tail, body, verb in (
            ("POST", "", {"metadata": {}}, "update metadata"), ("DELETE", "/a", None, "delete metadata"),
        ):  # fmt: skip
            message = cloud.request(method, path + tail, body).json["conflictingRequest"]["message"]
            assert message == f"Cannot '{verb}' instance {server} while it is in vm_state error"
    finally:
        assert cloud.act(server, "os-resetState", {"state": "active"}, token=ADMIN).status == 202


def test_writers_at_once_lose_nothing(cloud: Cloud, path: str) -> None:
    writers = [
        concurrency.spawn(cloud.request, "PUT", f"{path}/{key}", {"meta": {key: key}}) for key in ("w", "x", "y", "z")
    ]
    assert [writer.wait(20).status for writer in writers] == [200] * 4
    assert cloud.get(path).json == {"metadata": {"a": "1", "w": "w", "x": "x", "y": "y", "z": "z"}}


def test_nothing_of_it_is_an_instance_action(cloud: Cloud, server: str, path: str) -> None:
    listed = cloud.get(f"/servers/{server}/os-instance-actions").json["instanceActions"]
    assert {each["action"] for each in listed} <= {"create", "lock", "unlock", "resetState"}
