"""The comparer must see every kind of difference, and only differences."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from tests.harness.contract.shape import Asked, compare, kind_of, url_shape

SERVER: dict[str, Any] = {
    "server": {
        "id": "0e44cc9c-e052-415d-afbf-469b0d384170",
        "name": "one",
        "status": "ACTIVE",
        "progress": 0,
        "hostId": "92154fab69d5883ba2c8622b7e65f745dd33257221c07af363c51b29",
        "created": "2013-09-03T04:01:32Z",
        "OS-EXT-STS:vm_state": "active",
        "OS-SRV-USG:launched_at": "2013-09-23T13:37:00.880302",
        "metadata": {"My Server Name": "Apache1"},
        "addresses": {"private": [{"addr": "192.168.1.30", "version": 4}]},
        "tags": ["a"],
        "links": [
            {"href": "http://x/v2/6f70656e737461636b20342065766572/servers/0e44cc9c", "rel": "self"},
            {"href": "http://x/6f70656e737461636b20342065766572/servers/0e44cc9c", "rel": "bookmark"},
        ],
        "security_groups": [{"name": "default"}],
    }
}
MEMBER = Asked(role="member", version=(2, 1))


def changed(**values: Any) -> dict[str, Any]:
    other = copy.deepcopy(SERVER)
    for key, value in values.items():
        name = key.replace("__", ":").replace("_X_", "-")
        if value is None:
            del other["server"][name]
        else:
            other["server"][name] = value
    return other


def test_a_sample_equals_itself() -> None:
    assert compare(SERVER, SERVER, MEMBER) == []


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"name": None}, "server.name: missing"),
        ({"extra": 1}, "server.extra: not in the sample"),
        ({"name": 5}, "server.name: number where the sample has string"),
        ({"status": "BUILD"}, "server.status: 'BUILD' where the sample has 'ACTIVE'"),
        ({"created": "2013-09-03T04:01:32.123456"}, "is no time with Z"),
        ({"created": "2013-09-03T04:01:32Z", "id": "7"}, "'7' is no uuid"),
        ({"progress": None}, "server.progress: missing"),
        ({"addresses": {"net": [{"addr": "10.0.0.3"}]}}, "server.addresses.net[0].version: missing"),
        ({"addresses": {"net": [{"addr": "10.0.0.3", "version": "4"}]}}, "string where the sample has number"),
        ({"metadata": {"a": 1}}, "server.metadata.a: number where the sample has string"),
        ({"links": [SERVER["server"]["links"][0]]}, "relations ['self']"),
        ({"hostId": "abc"}, "'abc' is no hostId"),
    ],
)
def test_differences_are_seen(change: dict[str, Any], complaint: str) -> None:
    assert any(complaint in each for each in compare(SERVER, changed(**change), MEMBER))


@pytest.mark.parametrize(
    "change",
    [
        {"name": "two"},
        {"created": "2026-11-20T00:00:00Z"},
        {"metadata": {}},
        {"tags": []},
        {"hostId": ""},
        {"security_groups": None},
        {"addresses": {"a": [], "b": [{"addr": "fe80::1", "version": 6}]}},
    ],
)
def test_what_may_differ_is_let_be(change: dict[str, Any]) -> None:
    sample = copy.deepcopy(SERVER)
    sample["server"]["addresses"]["private"][0]["addr"] = "an address"  # the kind is another test's matter
    assert [each for each in compare(sample, changed(**change), MEMBER) if "empty" not in each] == []


def test_a_server_at_work_shows_no_progress() -> None:
    sample = changed(status="RESCUE")
    del sample["server"]["progress"]
    assert compare(sample, changed(status="RESCUE", progress=None), MEMBER) == []
    assert compare(sample, changed(status="RESCUE"), MEMBER) == ["server.progress: not in the sample"]


def test_admin_keys_follow_the_role_and_the_version_not_the_sample() -> None:
    keys = {f"OS-EXT-SRV-ATTR:{name}": "x" for name in ("host", "hypervisor_hostname", "instance_name")}
    admin = {"server": SERVER["server"] | keys}
    assert compare(admin, SERVER, MEMBER) == []
    assert compare(SERVER, admin, Asked("admin", (2, 1))) == []
    assert any("not in the sample" in each for each in compare(SERVER, admin, MEMBER))
    assert "server.host_status: missing" in compare(admin, admin, Asked("admin", (2, 16)))


def test_hostname_is_for_everybody_from_2_90() -> None:
    assert compare(SERVER, SERVER, Asked("member", (2, 90))) == ["server.OS-EXT-SRV-ATTR:hostname: missing"]


def test_page_links_are_there_exactly_when_the_page_is_full() -> None:
    link = [{"href": "http://x/v2.1/servers?limit=1&marker=a", "rel": "next"}]
    page = {"servers": [{"name": "a"}], "servers_links": link}
    short = {"servers": [{"name": "a"}]}
    assert compare(page, page, Asked(limit=1)) == []
    assert compare(page, short, Asked(limit=1)) == ["servers_links: missing"]
    assert compare(short, page, Asked(limit=2)) == ["servers_links: not in the sample"]
    assert compare(page, short, Asked(limit=2)) == []


def test_an_empty_list_does_not_pass_for_a_full_one() -> None:
    assert compare({"flavors": [{"id": "1"}]}, {"flavors": []}) == ["flavors: empty where the sample has elements"]


def test_true_is_no_number_and_one_no_boolean() -> None:
    assert compare({"a": 1}, {"a": True}) == ["a: boolean where the sample has number"]
    assert compare({"a": False}, {"a": 0}) == ["a: number where the sample has boolean"]


def test_links_compare_by_path_below_the_endpoint() -> None:
    old = "http://openstack.example.com/v2/6f70656e737461636b20342065766572/servers/x?limit=1&marker=2"
    assert url_shape(old) == url_shape("http://127.0.0.1:8774/v2.1/servers/y?marker=9&limit=4") == (
        "/{v}/servers/{id}?limit,marker"
    )
    assert url_shape("http://h/servers/y") == "/servers/{id}"
    assert url_shape("http://h/v2.1/flavors/1") != url_shape("http://h/v2.1/servers/1")


def test_kinds() -> None:
    assert kind_of("2013-09-03T04:01:32Z") == "time with Z"
    assert kind_of("fa:16:3e:00:00:01") == "MAC"
    assert kind_of("1e:2c:9b:56:79:4b:45:77:f9:ca:7a:98:2c:b0:d5:3c") == "fingerprint"
    assert kind_of("new-server-test") is None
