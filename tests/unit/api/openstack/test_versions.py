"""Version discovery against the contract's samples."""

from __future__ import annotations

from typing import Any

import pytest

from tests.harness.compute_api import ComputeApi, ask, environ_of
from tests.harness.contract import material


def sample(name: str) -> Any:
    try:
        return material.sample(f"versions/{name}")
    except material.ContractMissing as error:
        pytest.skip(str(error))


def ours(value: Any) -> Any:
    """The sample as this endpoint must say it: with our address; the newest version is the contract's."""
    if isinstance(value, dict):
        return {key: ours(item) for key, item in value.items()}
    if isinstance(value, list):
        return [ours(item) for item in value]
    if isinstance(value, str):
        return value.replace("http://openstack.example.com", "http://cloud:8774")
    return value


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/", "versions-get-resp.json"),
        ("/v2", "v2-version-get-resp.json"),
        ("/v2/", "v2-version-get-resp.json"),
        ("/v2.1", "v21-version-get-resp.json"),
        ("/v2.1/", "v21-version-get-resp.json"),
    ],
)
def test_discovery_needs_no_token(api: ComputeApi, path: str, name: str) -> None:
    answer = ask(api.app, environ_of("GET", path))
    assert (answer.status, answer.json) == (200, ours(sample(name)))
    assert ("x-openstack-request-id" in answer.headers) == (path != "/")
    assert "OpenStack-API-Version" not in answer.headers


def test_paths_outside_the_versions_are_a_choice(api: ComputeApi) -> None:
    answer = ask(api.app, environ_of("GET", "/foo/bar"))
    assert answer.status == 300
    hrefs = [choice["links"][0]["href"] for choice in answer.json["choices"]]
    assert hrefs == ["http://cloud:8774/v2/foo/bar", "http://cloud:8774/v2.1/foo/bar"]


@pytest.mark.parametrize("path", ["/", "/v2.1/", "/foo"])
def test_head_has_no_body(api: ComputeApi, path: str) -> None:
    answer = ask(api.app, environ_of("HEAD", path))
    assert (answer.status, answer.data) == (300 if path == "/foo" else 200, b"")
    assert int(answer.headers["Content-Length"]) > 0


def test_versions_inside_the_api(api: ComputeApi) -> None:
    assert api("GET", "/beef", project="beef").json == ours(sample("v21-version-get-resp.json"))
    assert api("GET", "/versions/v2.0").json["version"]["id"] == "v2.0"
    assert api("GET", "/versions/v9").status == 404
    assert len(api("GET", "/versions").json["versions"]) == 2
