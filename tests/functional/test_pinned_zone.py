"""PUT /servers/{id} with pinned_availability_zone, from 2.104."""

from __future__ import annotations

import pathlib
from collections.abc import Iterator

import pytest

from tests.harness.cloud import Cloud


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    directory: pathlib.Path = tmp_path_factory.mktemp("cloud")
    with Cloud(directory) as running:
        yield running


def _pin(cloud: Cloud, server_id: str, zone: object, version: str = "2.104") -> tuple[int, object, str]:
    body = {"server": {"pinned_availability_zone": zone}}
    answer = cloud.request("PUT", f"/servers/{server_id}", body, version=version)
    if answer.status == 200:
        return 200, answer.json["server"]["pinned_availability_zone"], ""
    (error,) = answer.json.values()
    return answer.status, None, error["message"]


def test_a_server_is_unpinned_and_pinned_again_to_the_zone_it_is_in(cloud: Cloud) -> None:
    server = cloud.boot()
    assert (server["OS-EXT-AZ:availability_zone"], server["pinned_availability_zone"]) == ("nova", None)
    assert _pin(cloud, server["id"], "nova") == (200, "nova", "")
    assert _pin(cloud, server["id"], "nova") == (200, "nova", "")
    assert _pin(cloud, server["id"], None) == (200, None, "")
    status, _, message = _pin(cloud, server["id"], "elsewhere")
    assert status == 409
    assert message == f"Instance {server['id']} cannot be pinned to availability zone elsewhere while it is in nova"
    assert cloud.show(server["id"])["pinned_availability_zone"] is None  # type: ignore[index]


@pytest.mark.parametrize(("zone", "version"), [("nova", "2.103"), (5, "2.104"), ("", "2.104"), (" nova ", "2.104")])
def test_what_is_no_zone_or_too_early_is_refused(cloud: Cloud, zone: object, version: str) -> None:
    server = cloud.boot()
    assert _pin(cloud, server["id"], zone, version)[0] == 400


def test_nothing_else_changes_when_the_zone_is_refused(cloud: Cloud) -> None:
    server = cloud.boot(name="before")
    body = {"server": {"name": "after", "pinned_availability_zone": "elsewhere"}}
    assert cloud.request("PUT", f"/servers/{server['id']}", body).status == 409
    assert cloud.show(server["id"])["name"] == "before"  # type: ignore[index]
