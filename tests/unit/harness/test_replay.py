"""Substitution, sample lookup, error bodies and the report: the parts of the replay that need no server."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.harness.contract import material, replay, report, substitute
from tests.harness.contract.endpoint import Reply
from tests.harness.contract.prepare import PREPARERS
from tests.harness.contract.report import Outcome, Verdict

IDS = substitute.Ids(
    image="an-image", flavor="42", zone="az1", server="a-server", host="h1", node="n1", network="a-net", user="u1",
    unique=lambda prefix: prefix + "unique",
)  # fmt: skip


def test_ids_are_put_in_by_kind() -> None:
    body: dict[str, Any] = {
        "server": {
            "name": "n", "imageRef": "70a599e0", "flavorRef": "http://openstack.example.com/flavors/1",
            "availability_zone": "us-west", "networks": [{"uuid": "x", "tag": "t"}],
            "metadata": {"a": "b"}, "host": "openstack-node-01", "hypervisor_hostname": "openstack-node-01",
        },
        "OS-SCH-HNT:scheduler_hints": {"same_host": "[0-9a-f]{8}"},
    }  # fmt: skip
    assert substitute.request(body, IDS) == {
        "server": {
            "name": "n", "imageRef": "an-image", "flavorRef": "http://openstack.example.com/flavors/42",
            "availability_zone": "az1", "networks": [{"uuid": "a-net", "tag": "t"}],
            "metadata": {"a": "b"}, "host": "h1", "hypervisor_hostname": "n1",
        },
        "OS-SCH-HNT:scheduler_hints": {"same_host": "a-server"},
    }  # fmt: skip


def test_keypairs_get_names_of_their_own() -> None:
    body = {"keypair": {"name": "keypair-1", "user_id": "fake"}}
    assert substitute.request(body, IDS) == {"keypair": {"name": "keypair-unique", "user_id": "u1"}}


def test_what_the_world_lacks_is_said() -> None:
    with pytest.raises(substitute.Unavailable, match="group"):
        substitute.request({"OS-SCH-HNT:scheduler_hints": {"group": "f3d86fe6"}}, IDS)


def test_the_sample_of_a_version_is_the_highest_not_above_it() -> None:
    paths = ["servers/a.json", "servers/v2.9/a.json", "servers/v2.100/a.json", "servers/v2.19/b.json"]
    assert material.samples_at(paths, (2, 1)) == {"servers/a.json": "servers/a.json"}
    assert material.samples_at(paths, (2, 99)) == {
        "servers/a.json": "servers/v2.9/a.json", "servers/b.json": "servers/v2.19/b.json",
    }  # fmt: skip
    assert material.samples_at(paths, (2, 100))["servers/a.json"] == "servers/v2.100/a.json"


def _reply(status: int, body: Any) -> Reply:
    return Reply(status, {}, json.dumps(body))


def test_error_bodies_are_judged() -> None:
    good = {"badRequest": {"code": 400, "message": "no"}}
    assert replay.error_shape(_reply(400, good)) == []
    assert replay.error_shape(_reply(404, good))
    assert replay.error_shape(_reply(400, {"badRequest": {"code": 404, "message": "no"}}))
    assert replay.error_shape(_reply(400, {"message": "no"}))


def _call(version: str = "2.9") -> material.Call:
    return material.Call("GET /flavors", version, "member", None, None, None, 200, "T1")


def test_headers_are_judged() -> None:
    ident = "req-0e44cc9c-e052-415d-afbf-469b0d384170"
    both = "OpenStack-API-Version, X-OpenStack-Nova-API-Version"
    good = {
        "x-openstack-request-id": ident, "x-compute-request-id": ident, "Vary": both,
        "OpenStack-API-Version": "compute 2.9", "X-OpenStack-Nova-API-Version": "2.9",
    }  # fmt: skip
    assert replay.headers(_call(), "/v2.1/flavors", Reply(200, good, "")) == []
    for name in good:
        less = {key: value for key, value in good.items() if key != name}
        assert replay.headers(_call(), "/v2.1/flavors", Reply(200, less, "")), name
    assert len(replay.headers(_call("2.10"), "/v2.1/flavors", Reply(200, good, ""))) == 2
    assert replay.headers(_call(), "/", Reply(200, {}, "")) == []


def test_the_report_counts_everything_and_names_what_did_not_pass() -> None:
    outcomes = [
        Outcome(_call(), Verdict.PASSED), Outcome(_call(), Verdict.FAILED, ("status 500",)),
        Outcome(_call(), Verdict.BLOCKED, ("no volumes",)), Outcome(_call(), Verdict.ABOVE),
    ]  # fmt: skip
    assert report.table(outcomes).splitlines()[-1].split() == ["sum", "4", "1", "1", "1", "1"]
    text = report.notes(outcomes)
    assert "failed: GET /flavors at 2.9 as member" in text and "status 500" in text and "no volumes" in text


def test_every_operation_of_the_first_tier_can_be_prepared() -> None:
    try:
        listed = {call.operation for call in material.calls_of("T1")}
    except material.ContractMissing as error:
        pytest.skip(str(error))
    assert listed - PREPARERS.keys() == set()
