"""Servers over HTTP: lists and pages, create, change, delete; what is passed to the compute door."""

from __future__ import annotations

import json
from typing import Any

import pytest

from nova_lite import exception
from nova_lite.conf import CONF
from tests.harness.builders import uuid_of
from tests.harness.compute_api import ComputeApi, FakeCompute

IMAGE = uuid_of("image")


def body(**server: Any) -> dict[str, Any]:
    return {"server": {"name": "vm", "flavorRef": "1", "imageRef": IMAGE, **server}}


def test_lists(api: ComputeApi, compute: FakeCompute) -> None:
    compute.add("a")
    compute.add("b", project_id="other")
    short = api("GET", "/servers", version="2.96").json
    assert [each["name"] for each in short["servers"]] == ["a"]
    assert set(short["servers"][0]) == {"id", "name", "links"}
    assert "servers_links" not in short
    assert "server_groups" not in api("GET", "/servers/detail", version="2.96").json["servers"][0]
    everywhere = api("GET", "/servers/detail?all_tenants=1", admin=True).json["servers"]
    assert {each["name"] for each in everywhere} == {"a", "b"}


def test_a_token_without_a_project_has_no_servers(api: ComputeApi, compute: FakeCompute) -> None:
    from nova_lite.api.openstack.compute.servers import _search
    from nova_lite.api.openstack.microversions import MAX
    from nova_lite.api.openstack.request import Request
    from nova_lite.context import RequestContext

    ctxt = RequestContext(user_id="u", roles=["admin"], is_admin=True)
    assert _search(Request({}, ctxt, MAX), "os_compute_api:servers:index:get_all_tenants", 10).project_id == ""


@pytest.mark.parametrize(("path", "rule"), [("/servers", "index"), ("/servers/detail", "detail")])
def test_all_tenants_needs_its_policy(api: ComputeApi, path: str, rule: str) -> None:
    answer = api("GET", f"{path}?all_tenants=True")
    expected = f"Policy doesn't allow os_compute_api:servers:{rule}:get_all_tenants to be performed."
    assert (answer.status, answer.message) == (403, expected)


def test_pages_name_the_next_one_when_full(api: ComputeApi, compute: FakeCompute) -> None:
    first, second = compute.add("a"), compute.add("b")
    page = api("GET", "/servers?sort_dir=asc&limit=2&name=x").json
    assert page["servers_links"] == [
        {"rel": "next", "href": f"http://cloud:8774/v2.1/servers?limit=2&name=x&sort_dir=asc&marker={second.uuid}"}
    ]
    later = api("GET", f"/servers/detail?marker={first.uuid}&limit=1&sort_dir=asc").json
    assert later["servers_links"][0]["href"] == (
        f"http://cloud:8774/v2.1/servers/detail?limit=1&marker={first.uuid}&sort_dir=asc"
    )
    assert compute.calls[-1][1].marker == first.uuid
    assert api("GET", "/servers?limit=0").json == {"servers": []}
    api("GET", "/servers?limit=999999999999999999999")
    assert compute.calls[-1][1].limit == 1000


def test_the_largest_page_is_configured(api: ComputeApi, compute: FakeCompute) -> None:
    compute.add("a")
    CONF.set_override("max_limit", 1, "api")
    try:
        assert "servers_links" in api("GET", "/servers").json
    finally:
        CONF.clear_override("max_limit", "api")


@pytest.mark.parametrize(
    ("query", "version", "sentence"),
    [
        (
            "limit=-1",
            "2.1",
            "Invalid input for query parameters limit. Value: -1. '-1' does not match '^[0-9]*$'",
        ),
        ("limit=a", "2.1", "Invalid input for query parameters limit. Value: a. 'a' does not match '^[0-9]*$'"),
        ("zzz=1", "2.75", "'zzz' does not match any of the regexes: '^_'"),
        (
            "changes-since=x",
            "2.1",
            "Invalid input for query parameters changes-since. Value: x. 'x' is not a 'date-time'",
        ),
        ("status=x", "2.38", "Invalid status value"),
    ],
)
def test_queries_refused(api: ComputeApi, query: str, version: str, sentence: str) -> None:
    answer = api("GET", f"/servers?{query}", version=version)
    assert (answer.status, answer.message) == (400, sentence)


@pytest.mark.parametrize("query", ["sort_key=__class__", "sort_key=name", "sort_dir=up", "sort_key=host;drop"])
def test_sort_keys_are_a_closed_list(api: ComputeApi, query: str) -> None:
    assert api("GET", f"/servers?{query}").status == 400


@pytest.mark.parametrize("query", ["zzz=1", "_private=1", "status=nothing"])
def test_queries_ignored_or_impossible(api: ComputeApi, query: str) -> None:
    assert api("GET", f"/servers?{query}", version="2.1").json == {"servers": []}


def test_create(api: ComputeApi, compute: FakeCompute) -> None:
    answer = api("POST", "/servers", body(adminPass="given", security_groups=[{"name": "web"}]))
    server = answer.json["server"]
    assert answer.status == 202
    assert answer.headers["Location"] == f"http://cloud:8774/v2.1/servers/{server['id']}"
    assert set(server) == {"id", "links", "security_groups", "OS-DCF:diskConfig", "adminPass"}
    assert (server["adminPass"], server["security_groups"]) == ("given", [{"name": "web"}])
    assert compute.calls[-1][1].admin_password == "given"


def test_create_makes_a_password_unless_the_site_has_none(api: ComputeApi, compute: FakeCompute) -> None:
    made = api("POST", "/servers", body()).json["server"]["adminPass"]
    assert len(made) == 12
    assert compute.calls[-1][1].admin_password == made
    CONF.set_override("enable_instance_password", False, "api")
    try:
        assert "adminPass" not in api("POST", "/servers", body()).json["server"]
    finally:
        CONF.clear_override("enable_instance_password", "api")


def test_create_may_answer_a_reservation(api: ComputeApi) -> None:
    answer = api("POST", "/servers", body(return_reservation_id="True", min_count=2))
    assert answer.json == {"reservation_id": "r-12345678"}
    assert "Location" not in answer.headers


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (exception.FlavorNotFound(flavor_id="999"), "Flavor 999 could not be found."),
        (exception.ImageNotFound(image_id="i"), "Can not find requested image"),
        (exception.KeypairNotFound(name="k", user_id="u"), "Invalid key_name provided."),
        (exception.NetworkNotFound(network_id="n"), "Network n could not be found."),
    ],
)
def test_what_a_body_names_and_is_not_there_is_400(
    api: ComputeApi, compute: FakeCompute, error: Exception, sentence: str
) -> None:
    compute.refuse_with = error
    answer = api("POST", "/servers", body())
    assert (answer.status, answer.message) == (400, sentence)


def test_over_quota_is_403(api: ComputeApi, compute: FakeCompute) -> None:
    compute.refuse_with = exception.OverQuota(overs="cores", requested="9", used="1", limits="2")
    answer = api("POST", "/servers", body())
    assert (answer.status, answer.message) == (
        403,
        "Quota exceeded for cores: Requested 9, but already used 1 of 2 cores",
    )


@pytest.mark.parametrize(
    ("server", "version", "rule"),
    [
        ({"availability_zone": "nova:host1"}, "2.1", "os_compute_api:servers:create:forced_host"),
        ({"availability_zone": "nova::node1"}, "2.1", "os_compute_api:servers:create:forced_host"),
        ({"host": "h", "networks": "auto"}, "2.74", "compute:servers:create:requested_destination"),
    ],
)
def test_choosing_the_host_is_for_administrators(
    api: ComputeApi, server: dict[str, Any], version: str, rule: str
) -> None:
    answer = api("POST", "/servers", body(**server), version)
    assert (answer.status, answer.message) == (403, f"Policy doesn't allow {rule} to be performed.")
    assert api("POST", "/servers", body(**server), version, admin=True).status == 202


FIELD = "Invalid input for field/attribute "


@pytest.mark.parametrize(
    ("sent", "version", "sentence"),
    [
        ({}, "2.1", "'server' is a required property"),
        ({"server": {}}, "2.1", FIELD + "server. Value: {}. 'name' is a required property"),
        (body(name=5), "2.1", FIELD + "name. Value: 5. 5 is not of type 'string'"),
        (body(zzz=1), "2.1", "Additional properties are not allowed ('zzz' was unexpected)"),
        (
            body(name="   "),
            "2.1",
            "An invalid 'name' value was provided. The name must be: printable characters. "
            "Can not start or end with whitespace.",
        ),
        (body(), "2.37", "'networks' is a required property"),
        (body(networks=[], tags=["a,b"]), "2.52", "'a,b' does not match '^[^,/]*$'"),
        (body(networks=[], tags=["a"] * 51), "2.52", "is too long"),
        (body(networks=[], tags=["a"]), "2.51", "'tags' was unexpected"),
        (body(user_data="!"), "2.1", "'!' is not a 'base64'"),
        (body(user_data="A" * 65536), "2.1", "is too long"),
        (body(min_count=0), "2.1", "0 is less than the minimum of 1"),
        (body(min_count="0"), "2.1", "'0' is less than the minimum of 1"),
        (body(accessIPv4="x"), "2.1", "'x' is not a 'ipv4'"),
        (body(config_drive="maybe"), "2.1", "'maybe' is not one of [True, 'True',"),
        (body(metadata={"a": 5}), "2.1", FIELD + "a. Value: 5. 5 is not of type 'string'"),
        (body(metadata={"a/b": "c"}), "2.1", "'a/b' does not match any of the regexes"),
        (body(networks="auto", personality=[]), "2.57", "'personality' was unexpected"),
        (body(networks="auto", hostname="a.b"), "2.90", "'a.b' does not match"),
        (body(networks="auto", hostname="-a"), "2.94", "'-a' does not match"),
        (body(name="a" * 256), "2.1", "is too long"),
        (body(name="a\x1b[31m"), "2.1", "An invalid 'name' value was provided."),
        (body(name="a\r\nb"), "2.1", "An invalid 'name' value was provided."),
        ({**body(), "os:scheduler_hints": {"different_host": [IMAGE] * 257}}, "2.1", "is not valid under any of"),
        (body(imageRef="not-a-uuid"), "2.1", "is not valid under any of the given schemas"),
    ],
)
def test_bodies_refused(api: ComputeApi, sent: dict[str, Any], version: str, sentence: str) -> None:
    answer = api("POST", "/servers", sent, version)
    assert answer.status == 400
    assert sentence in answer.message


@pytest.mark.parametrize(
    ("server", "version"),
    [
        ({"networks": "none", "hostname": "a.example.com"}, "2.94"),
        ({"networks": "auto", "tags": ["a"], "trusted_image_certificates": None}, "2.63"),
        ({"personality": [{"path": "/etc/b", "contents": "ICAg IA0K"}]}, "2.1"),
        ({"config_drive": "yes", "min_count": "2", "max_count": "3", "user_data": "aGk="}, "2.1"),
        ({"networks": [{"uuid": uuid_of("n"), "tag": "nic"}]}, "2.32"),
        ({"networks": [{"port": None, "uuid": uuid_of("n"), "fixed_ip": "fe80::1"}]}, "2.1"),
        ({"name": "雪だるま ☃", "metadata": {"a b:c.d-e_f": "ü"}}, "2.1"),
    ],
)
def test_bodies_taken(api: ComputeApi, server: dict[str, Any], version: str) -> None:
    assert api("POST", "/servers", body(**server), version).status == 202


def test_update(api: ComputeApi, compute: FakeCompute) -> None:
    server = compute.add()
    changes = {"name": " new ", "accessIPv4": "1.2.3.4", "OS-DCF:diskConfig": "AUTO", "description": None}
    refused = api("PUT", f"/servers/{server.uuid}", {"server": changes}, "2.19")
    assert refused.status == 400
    changes["name"] = "new"
    answer = api("PUT", f"/servers/{server.uuid}", {"server": changes}, "2.19")
    assert answer.status == 200
    assert compute.calls[-1] == (
        "update",
        server.uuid,
        {"display_name": "new", "access_ip_v4": "1.2.3.4", "auto_disk_config": True, "display_description": None},
    )
    assert answer.json["server"]["name"] == "new"
    assert "OS-EXT-STS:vm_state" not in answer.json["server"]


def test_delete(api: ComputeApi, compute: FakeCompute) -> None:
    server = compute.add()
    assert api("DELETE", f"/servers/{server.uuid}").status == 204
    assert compute.calls == [("delete", server.uuid)]


@pytest.mark.parametrize("identifier", ["foo", "1", uuid_of("nobody"), "..%2f", "a" * 5000, "%27%3b--"])
def test_a_server_that_is_not_there(api: ComputeApi, identifier: str) -> None:
    answer = api("GET", f"/servers/{identifier}")
    assert answer.status == 404
    assert answer.message == f"Instance {identifier} could not be found."


def test_another_projects_server_is_not_there(api: ComputeApi, compute: FakeCompute) -> None:
    foreign = compute.add("foreign", project_id="other")
    calls: list[tuple[str, str, Any]] = [
        ("GET", "", None),
        ("PUT", "", {"server": {"name": "x"}}),
        ("DELETE", "", None),
        ("POST", "/action", {"os-start": None}),
        ("GET", "/os-instance-actions", None),
    ]
    for method, path, sent in calls:
        answer = api(method, f"/servers/{foreign.uuid}{path}", sent)
        assert (answer.status, json.loads(answer.data).keys()) == (404, {"itemNotFound"})
    assert compute.calls == []


def test_spoofed_identity_headers_have_no_effect(api: ComputeApi, compute: FakeCompute) -> None:
    foreign = compute.add("foreign", project_id="other")
    headers = {"X-Roles": "admin", "X-Project-Id": "other", "X-User-Id": "admin", "X-Is-Admin-Project": "True"}
    assert api("GET", f"/servers/{foreign.uuid}", headers=headers).status == 404
