"""Flavors, extra specs and access lists over HTTP, against the database room."""

from __future__ import annotations

from typing import Any

import pytest

from nova_lite.api.openstack.compute.flavors import flavor_of
from nova_lite.db.api import flavors
from tests.harness.builders import make_flavor
from tests.harness.compute_api import ComputeApi


@pytest.fixture
def stocked(api: ComputeApi) -> ComputeApi:
    for number, name in enumerate(("tiny", "small", "large"), start=1):
        flavors.create(make_flavor(name, flavorid=str(number), memory_mb=512 * number, root_gb=number))
    flavors.create(make_flavor("own", flavorid="p1", is_public=False), ["project"])
    flavors.create(make_flavor("foreign", flavorid="p2", is_public=False), ["other"])
    flavors.create(make_flavor("off", flavorid="d", disabled=True))
    return api


def ids(answer: Any) -> list[str]:
    return [flavor["id"] for flavor in answer.json["flavors"]]


@pytest.mark.parametrize(
    ("query", "member", "admin"),
    [
        ("", ["1", "2", "3", "p1"], ["1", "2", "3", "d", "p1"]),
        ("?is_public=None", ["1", "2", "3", "p1"], ["1", "2", "3", "d", "p1", "p2"]),
        ("?is_public=false", ["1", "2", "3", "p1"], ["p1", "p2"]),
        ("?minRam=1024", ["2", "3"], ["2", "3"]),
        ("?minDisk=3", ["3"], ["3"]),
        ("?sort_key=memory_mb&sort_dir=desc&minRam=1024", ["3", "2"], ["3", "2"]),
        ("?marker=2&limit=1", ["3"], ["3"]),
        ("?limit=0", [], []),
    ],
)
def test_lists(stocked: ComputeApi, query: str, member: list[str], admin: list[str]) -> None:
    assert ids(stocked("GET", f"/flavors{query}")) == member
    assert ids(stocked("GET", f"/flavors/detail{query}", admin=True)) == admin


def test_every_sort_key_of_nova_is_taken(stocked: ComputeApi) -> None:
    from nova_lite.api.openstack.compute.schemas.flavors import SORT_KEYS

    for key in SORT_KEYS:
        assert stocked("GET", f"/flavors?sort_key={key}").status == 200, key


def test_a_full_page_names_the_next(stocked: ComputeApi) -> None:
    page = stocked("GET", "/flavors/detail?limit=2").json
    assert page["flavors_links"] == [{"rel": "next", "href": "http://cloud:8774/v2.1/flavors/detail?limit=2&marker=2"}]


@pytest.mark.parametrize(
    ("query", "version", "sentence"),
    [
        ("sort_key=invalid", "2.1", "'invalid' is not one of"),
        ("sort_dir=invalid", "2.1", "'invalid' is not one of ['asc', 'desc']"),
        ("marker=zzz", "2.1", "marker [zzz] not found"),
        ("minRam=x", "2.1", "Invalid minRam filter [x]"),
        ("minDisk=x", "2.1", "Invalid minDisk filter [x]"),
        ("is_public=zzz", "2.1", "Invalid is_public filter [zzz]"),
        ("zzz=1", "2.75", "Additional properties are not allowed ('zzz' was unexpected)"),
    ],
)
def test_queries_refused(stocked: ComputeApi, query: str, version: str, sentence: str) -> None:
    answer = stocked("GET", f"/flavors?{query}", version=version, admin=True)
    assert answer.status == 400
    assert sentence in answer.message


def test_show(stocked: ComputeApi) -> None:
    assert stocked("GET", "/flavors/1").json["flavor"]["name"] == "tiny"
    assert stocked("GET", "/flavors/p2", admin=True).status == 200
    for missing in ("p2", "zzz"):
        answer = stocked("GET", f"/flavors/{missing}")
        assert (answer.status, answer.message) == (404, f"Flavor {missing} could not be found.")


def test_create(api: ComputeApi) -> None:
    body = {"flavor": {"name": "new", "ram": "1024", "vcpus": 2, "disk": 10, "swap": 64, "id": "10"}}
    answer = api("POST", "/flavors", body, admin=True)
    assert answer.status == 200
    flavor = answer.json["flavor"]
    assert (flavor["ram"], flavor["vcpus"], flavor["disk"], flavor["swap"]) == (1024, 2, 10, 64)
    assert flavor["links"][0]["href"] == "http://cloud:8774/v2.1/flavors/10"
    for field, sentence in (
        ("id", "Flavor with ID 10 already exists."),
        ("name", "Flavor with name new already exists."),
    ):
        again = {"flavor": {**body["flavor"], "id": "11", "name": "other", field: body["flavor"][field]}}
        refused = api("POST", "/flavors", again, admin=True)
        assert (refused.status, refused.message) == (409, sentence)
    assert api("POST", "/flavors", body).status == 403


@pytest.mark.parametrize("identifier", [None, "", "auto"])
def test_a_flavor_without_an_id_gets_one(identifier: str | None) -> None:
    body = {"name": "n", "ram": 1, "vcpus": 1, "disk": 0}
    made = flavor_of(body if identifier is None else {**body, "id": identifier})
    assert len(made.flavorid) == 36


def test_a_private_flavor_is_nobodys_at_first(api: ComputeApi) -> None:
    body = {"flavor": {"name": "n", "ram": 1, "vcpus": 1, "disk": 0, "id": "x", "os-flavor-access:is_public": False}}
    assert api("POST", "/flavors", body, admin=True).status == 200
    assert api("GET", "/flavors/x").status == 404
    assert api("GET", "/flavors/x", admin=True).status == 200


@pytest.mark.parametrize(
    ("change", "version"),
    [
        ({"ram": 0}, "2.1"),
        ({"ram": "x"}, "2.1"),
        ({"vcpus": 0}, "2.1"),
        ({"disk": -1}, "2.1"),
        ({"ram": 2**31}, "2.1"),
        ({"ram": 10**30}, "2.1"),
        ({"ram": True}, "2.1"),
        ({"ram": 1.5}, "2.1"),
        ({"rxtx_factor": 0}, "2.1"),
        ({"rxtx_factor": "0"}, "2.1"),
        ({"rxtx_factor": -1}, "2.1"),
        ({"name": ""}, "2.1"),
        ({"name": "a" * 256}, "2.1"),
        ({"id": "a b!"}, "2.1"),
        ({"id": " a"}, "2.1"),
        ({"description": "d"}, "2.54"),
        ({"zzz": 1}, "2.96"),
        ({"rxtx_factor": 1.0}, "2.102"),
    ],
)
def test_bodies_refused(api: ComputeApi, change: dict[str, Any], version: str) -> None:
    body = {"flavor": {"name": "n", "ram": 1, "vcpus": 1, "disk": 0, "id": "x", **change}}
    assert api("POST", "/flavors", body, version, admin=True).status == 400


def test_describe_and_delete(stocked: ComputeApi) -> None:
    body = {"flavor": {"description": "for tests"}}
    assert stocked("PUT", "/flavors/1", body, "2.55", admin=True).json["flavor"]["description"] == "for tests"
    assert stocked("PUT", "/flavors/1", body, "2.55").status == 403
    assert stocked("PUT", "/flavors/zzz", body, "2.55", admin=True).status == 404
    assert stocked("DELETE", "/flavors/1").status == 403
    assert stocked("DELETE", "/flavors/1", admin=True).status == 202
    assert stocked("DELETE", "/flavors/1", admin=True).status == 404


def test_2_102_forgets_two_fields_and_finds_by_name(stocked: ComputeApi) -> None:
    name = stocked("GET", "/flavors/1").json["flavor"]["name"]
    gone = {"rxtx_factor", "OS-FLV-DISABLED:disabled"}
    assert gone <= set(stocked("GET", "/flavors/1", version="2.101").json["flavor"])
    assert not gone & set(stocked("GET", "/flavors/1", version="2.102").json["flavor"])
    found = stocked("GET", f"/flavors?name={name}", version="2.102").json["flavors"]
    assert [each["name"] for each in found] == [name]
    assert stocked("GET", f"/flavors/detail?name={name[:-1]}", version="2.102").json["flavors"] == []
    assert stocked("GET", "/flavors?name=%ED%A0%80", version="2.102").status == 400
    assert stocked("GET", "/flavors?sort_key=rxtx_factor", version="2.102").status == 400
    assert stocked("GET", "/flavors?sort_key=rxtx_factor", version="2.101").status == 200
    assert len(stocked("GET", f"/flavors?name={name}", version="2.74").json["flavors"]) > 1


def test_unknown_query_keys_are_refused_on_a_call_without_any_from_2_102(stocked: ComputeApi) -> None:
    assert stocked("GET", "/flavors/1?zzz=1", version="2.101").status == 200
    refused = stocked("GET", "/flavors/1?zzz=1", version="2.102")
    assert refused.status == 400
    assert refused.message == "Additional properties are not allowed ('zzz' was unexpected)"


# -- access lists -----------------------------------------------------------------------------------


def test_access_lists(stocked: ComputeApi) -> None:
    assert stocked("GET", "/flavors/p1/os-flavor-access").status == 403
    public = stocked("GET", "/flavors/1/os-flavor-access", admin=True)
    assert (public.status, public.message) == (404, "Access list not available for public flavors.")
    own = stocked("GET", "/flavors/p1/os-flavor-access", admin=True).json
    assert own == {"flavor_access": [{"flavor_id": "p1", "tenant_id": "project"}]}


def test_giving_and_taking_access(stocked: ComputeApi) -> None:
    add, remove = {"addTenantAccess": {"tenant": "t"}}, {"removeTenantAccess": {"tenant": "t"}}
    added = stocked("POST", "/flavors/p1/action", add, admin=True)
    assert added.status == 200
    assert {"flavor_id": "p1", "tenant_id": "t"} in added.json["flavor_access"]
    assert stocked("POST", "/flavors/p1/action", add, admin=True).status == 409
    removed = stocked("POST", "/flavors/p1/action", remove, admin=True)
    assert removed.json == {"flavor_access": [{"flavor_id": "p1", "tenant_id": "project"}]}
    assert stocked("POST", "/flavors/p1/action", remove, admin=True).status == 404
    assert stocked("POST", "/flavors/p1/action", add).status == 403
    assert stocked("POST", "/flavors/zzz/action", add, admin=True).status == 404
    assert stocked("POST", "/flavors/1/action", add, "2.7", admin=True).status == 409
    assert stocked("POST", "/flavors/p1/action", {"addTenantAccess": {}}, admin=True).status == 400


# -- extra specs ------------------------------------------------------------------------------------

SPECS = "/flavors/1/os-extra_specs"


def test_extra_specs(stocked: ComputeApi) -> None:
    created = stocked("POST", SPECS, {"extra_specs": {"hw:a": "1", "b": 2}}, admin=True)
    assert (created.status, created.json) == (200, {"extra_specs": {"hw:a": "1", "b": "2"}})
    assert stocked("GET", SPECS).json == {"extra_specs": {"hw:a": "1", "b": "2"}}
    assert stocked("GET", f"{SPECS}/hw:a").json == {"hw:a": "1"}
    assert stocked("PUT", f"{SPECS}/hw:a", {"hw:a": "3"}, admin=True).json == {"hw:a": "3"}
    assert stocked("DELETE", f"{SPECS}/hw:a", admin=True).status == 200
    assert stocked("GET", "/flavors/1", version="2.61").json["flavor"]["extra_specs"] == {"b": "2"}
    for method in ("GET", "DELETE"):
        answer = stocked(method, f"{SPECS}/hw:a", admin=True)
        assert (answer.status, answer.message) == (404, "Flavor 1 has no extra specs with key hw:a.")


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", SPECS, {"extra_specs": {"a/b": "1"}}),
        ("POST", SPECS, {"extra_specs": {"a": None}}),
        ("POST", SPECS, {"extra_specs": {"a": "x" * 256}}),
        ("POST", SPECS, {}),
        ("PUT", f"{SPECS}/a", {"b": "1"}),
        ("PUT", f"{SPECS}/a", {"a": "1", "b": "1"}),
        ("PUT", f"{SPECS}/a", {}),
    ],
)
def test_extra_specs_refused(stocked: ComputeApi, method: str, path: str, body: dict[str, Any]) -> None:
    assert stocked(method, path, body, admin=True).status == 400


def test_extra_specs_are_changed_by_administrators_of_flavors_that_exist(stocked: ComputeApi) -> None:
    body = {"extra_specs": {"a": "1"}}
    assert stocked("POST", SPECS, body).status == 403
    assert stocked("POST", "/flavors/zzz/os-extra_specs", body, admin=True).status == 404
    assert stocked("GET", "/flavors/p2/os-extra_specs").status == 404
