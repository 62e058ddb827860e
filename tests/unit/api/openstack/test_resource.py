"""The dispatcher: order of checks, headers, versions, bodies, the shapes of errors."""

from __future__ import annotations

import json

import pytest

from nova_lite import exception
from tests.harness.builders import uuid_of
from tests.harness.compute_api import Answer, ComputeApi, FakeCompute, environ_of

NO_SUCH_PATH = {
    "message": "The resource could not be found.<br /><br />\n\n\n",
    "code": "404 Not Found",
    "title": "Not Found",
}
VERSION_HEADERS = {"OpenStack-API-Version", "X-OpenStack-Nova-API-Version", "Vary"}


def fault(answer: Answer) -> tuple[int, str, str]:
    """Status, key and sentence of an error, its shape proven."""
    ((key, inner),) = answer.json.items()
    assert inner["code"] == answer.status
    assert answer.headers["Content-Type"] == "application/json; charset=UTF-8"
    return answer.status, key, inner["message"]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/nothing"),
        ("GET", "/servers/"),
        ("HEAD", "/servers"),
        ("PATCH", "/servers"),
        ("DELETE", "/servers"),
        ("GET", "/servers/1/2/3"),
        ("GET", "/../servers"),
        ("GET", "/nothing/servers"),
    ],
)
def test_unknown_paths_and_methods_have_the_odd_shape_and_no_version(api: ComputeApi, method: str, path: str) -> None:
    answer = api(method, path, version="2.999")
    assert answer.status == 404
    if method == "HEAD":
        assert answer.data == b""
    else:
        assert answer.json == NO_SUCH_PATH
    assert not VERSION_HEADERS & answer.headers.keys()
    assert answer.headers["x-openstack-request-id"] == answer.headers["x-compute-request-id"]


def test_several_slashes_are_one(api: ComputeApi) -> None:
    assert api("GET", "/v2.1//flavors").status == 200
    assert api("GET", "//v2.1/flavors").status == 200


@pytest.mark.parametrize(
    ("headers", "spoken"),
    [
        ({}, "2.1"),
        ({"OpenStack-API-Version": "compute 2.42"}, "2.42"),
        ({"OpenStack-API-Version": "COMPUTE 2.42"}, "2.42"),
        ({"X-OpenStack-Nova-API-Version": "2.30"}, "2.30"),
        ({"OpenStack-API-Version": "compute 2.42", "X-OpenStack-Nova-API-Version": "2.30"}, "2.42"),
        ({"OpenStack-API-Version": "volume 3.1, compute 2.11"}, "2.11"),
        ({"OpenStack-API-Version": "volume 3.1"}, "2.1"),
        ({"OpenStack-API-Version": "volume 3.1", "X-OpenStack-Nova-API-Version": "2.30"}, "2.30"),
        ({"OpenStack-API-Version": "compute latest"}, "2.104"),
        ({"X-OpenStack-Nova-API-Version": "latest"}, "2.104"),
    ],
)
def test_the_version_is_negotiated_and_said_in_both_headers(
    api: ComputeApi, headers: dict[str, str], spoken: str
) -> None:
    answer = api("GET", "/flavors", headers=headers)
    assert answer.status == 200
    assert answer.headers["OpenStack-API-Version"] == f"compute {spoken}"
    assert answer.headers["X-OpenStack-Nova-API-Version"] == spoken
    assert answer.headers["Vary"] == "OpenStack-API-Version, X-OpenStack-Nova-API-Version"


@pytest.mark.parametrize("version", ["2.105", "2.999", "3.1", "1.1", "2.0"])
def test_a_version_out_of_range_is_406_and_repeated(api: ComputeApi, version: str) -> None:
    answer = api("GET", "/servers", version=version)
    sentence = f"Version {version} is not supported by the API. Minimum is 2.1 and maximum is 2.104."
    assert fault(answer) == (406, "computeFault", sentence)
    assert answer.headers["OpenStack-API-Version"] == f"compute {version}"


@pytest.mark.parametrize("version", ["abc", "2", "2.1.1", "", "2.-1", "02.1", "2.01", "²٫١", "9" * 5000])
def test_a_malformed_version_is_400_without_version_headers(api: ComputeApi, version: str) -> None:
    answer = api("GET", "/servers", version=version)
    sentence = f"API Version String {version} is of invalid format. Must be of format MajorNum.MinorNum."
    assert fault(answer) == (400, "badRequest", sentence)
    assert not VERSION_HEADERS & answer.headers.keys()


def test_a_call_of_another_version_is_a_plain_404_with_version_headers(api: ComputeApi) -> None:
    body = {"flavor": {"description": None}}
    answer = api("PUT", "/flavors/1", body, "2.54", admin=True)
    assert fault(answer) == (404, "itemNotFound", "The resource could not be found.")
    assert answer.headers["OpenStack-API-Version"] == "compute 2.54"


def test_removed_calls_are_410_at_every_version(api: ComputeApi) -> None:
    for version in ("2.1", "2.96", "2.104"):
        sentence = "This resource is no longer available. No forwarding address is given."
        assert fault(api("GET", "/os-cells?x=1", version=version)) == (410, "computeFault", sentence)
    assert fault(api("POST", f"/servers/{uuid_of('x')}/action", {"resetNetwork": None}))[0] == 410


def test_left_out_calls_are_404_in_the_apis_own_shape(api: ComputeApi) -> None:
    assert fault(api("GET", "/images", version="2.1"))[:2] == (404, "itemNotFound")


# -- the project in the URL -------------------------------------------------------------------------


def test_the_project_in_the_url_must_be_the_tokens(api: ComputeApi) -> None:
    assert api("GET", "/beef-1/servers", project="beef-1").status == 200
    sentence = "Malformed request URL: URL's project_id 'beef-2' doesn't match Context's project_id 'beef-1'"
    assert fault(api("GET", "/beef-2/servers", project="beef-1")) == (400, "badRequest", sentence)


# -- bodies -----------------------------------------------------------------------------------------

NESTED = b'{"server": ' + b"[" * 20000 + b"]" * 20000 + b"}"
MALFORMED = {
    "not json": b"{",
    "two values": b"{} {}",
    "NaN": b'{"server": {"name": NaN}}',
    "infinity": b'{"server": {"name": 1e999}}',
    "duplicate keys": b'{"server": {"name": "a", "name": "b"}}',
    "lone surrogate": b'{"server": {"name": "\\ud800"}}',
    "broken utf-8": b'{"server": {"name": "\xff"}}',
    "byte order mark": b"\xef\xbb\xbf{}",
    "utf-16": '{"server": {}}'.encode("utf-16"),
    "nul": b'{"server": {"name": "a\\u0000b"}}',
    "nul in a key": b'{"server": {"a\\u0000b": 1}}',
    "deep nesting": NESTED,
    "digits without end": b'{"server": {"min_count": ' + b"9" * 10000 + b"}}",
}


@pytest.mark.parametrize("name", MALFORMED)
def test_what_is_no_plain_json_is_malformed(api: ComputeApi, name: str) -> None:
    answer = api("POST", "/servers", MALFORMED[name])
    assert fault(answer)[:2] == (400, "badRequest")
    assert answer.message == "Malformed request body" or name == "digits without end"


def test_an_escaped_backslash_is_no_nul(api: ComputeApi, compute: FakeCompute) -> None:
    body = {"server": {"name": "a\\u0000b", "flavorRef": "1", "imageRef": uuid_of("image")}}
    assert api("POST", "/servers", json.dumps(body).encode()).status == 202


def test_no_body_where_one_is_needed(api: ComputeApi) -> None:
    assert fault(api("POST", "/servers")) == (400, "badRequest", "None is not of type 'object'")


@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        ("application/json", 202),
        ("application/json; charset=UTF-8", 202),
        ("text/plain", 202),
        ("", 202),
        ("application/xml", 415),
        ("text/html", 415),
        ("application/x-www-form-urlencoded", 415),
    ],
)
def test_only_json_is_read(api: ComputeApi, content_type: str, status: int) -> None:
    body = {"server": {"name": "a", "flavorRef": "1", "imageRef": uuid_of("image")}}
    answer = api("POST", "/servers", body, headers={"Content-Type": content_type, "Accept": ""})
    assert answer.status == status
    if status == 415:
        assert fault(answer) == (415, "badMediaType", "Unsupported Content-Type")


@pytest.mark.parametrize("value", [{}, {"os-start": None, "os-stop": None}, [], "os-start", None, 5])
def test_an_action_is_one_key(api: ComputeApi, compute: FakeCompute, value: object) -> None:
    server = compute.add()
    answer = api("POST", f"/servers/{server.uuid}/action", json.dumps(value).encode())
    assert fault(answer) == (400, "badRequest", "Malformed request body")


def test_an_unknown_action_is_named(api: ComputeApi, compute: FakeCompute) -> None:
    server = compute.add()
    answer = api("POST", f"/servers/{server.uuid}/action", {"fly": None})
    assert fault(answer) == (400, "badRequest", "There is no such action: fly")


def test_a_body_over_the_limit_is_413_before_it_is_read(api: ComputeApi) -> None:
    answer = api("POST", "/servers", b"x" * 114689)
    assert answer.status == 413
    assert answer.json["code"] == "413 Request Entity Too Large"
    assert answer.json["title"] == "Request Entity Too Large"
    assert answer.json["message"].startswith("Request is too large.")


# -- the legacy endpoint ----------------------------------------------------------------------------


def test_v2_is_2_1_whatever_the_headers_say_and_sends_none_back(api: ComputeApi, compute: FakeCompute) -> None:
    server = compute.add()
    answer = api("GET", f"/v2/servers/{server.uuid}", version="2.96")
    assert answer.status == 200
    assert "locked" not in answer.json["server"]
    assert not VERSION_HEADERS & answer.headers.keys()
    assert answer.json["server"]["links"][0]["href"] == f"http://cloud:8774/v2/servers/{server.uuid}"
    assert api("GET", "/v2/servers", version="nonsense").status == 200


def test_v2_drops_unknown_keys_where_v21_refuses_them(api: ComputeApi, compute: FakeCompute) -> None:
    body = {
        "server": {
            "name": "a",
            "flavorRef": "1",
            "imageRef": uuid_of("image"),
            "zzz": 1,
            "networks": [{"uuid": uuid_of("net"), "zzz": 1}],
        },
        "zzz": 1,
    }
    assert api("POST", "/v2/servers", body).status == 202
    assert compute.calls[-1][1].networks[0].network_id == uuid_of("net")
    refused = api("POST", "/servers", body)
    assert refused.status == 400
    assert "Additional properties are not allowed ('zzz' was unexpected)" in refused.message


@pytest.mark.parametrize("name", [" vm ", "vm "])
def test_v2_strips_names_that_v21_refuses(api: ComputeApi, compute: FakeCompute, name: str) -> None:
    body = {"server": {"name": name, "flavorRef": "1", "imageRef": uuid_of("image"), "key_name": name}}
    assert api("POST", "/v2/servers", body).status == 202
    assert (compute.calls[-1][1].name, compute.calls[-1][1].key_name) == ("vm", "vm")
    assert api("POST", "/servers", body).status == 400
    assert api("POST", "/v2/servers", {"server": {**body["server"], "name": "  "}}).status == 400


# -- order ------------------------------------------------------------------------------------------


def test_the_body_is_judged_before_the_object_and_the_object_before_the_policy(
    api: ComputeApi, compute: FakeCompute
) -> None:
    foreign = compute.add("foreign", project_id="other")
    path = f"/servers/{foreign.uuid}"
    assert fault(api("PUT", path, {"server": {"name": 5}}))[0] == 400
    assert fault(api("PUT", path, {"server": {"name": "x"}})) == (
        404,
        "itemNotFound",
        f"Instance {foreign.uuid} could not be found.",
    )
    own = compute.add("own")
    refused = api("POST", f"/servers/{own.uuid}/action", {"os-resetState": {"state": "active"}})
    sentence = "Policy doesn't allow os_compute_api:os-admin-actions:reset_state to be performed."
    assert fault(refused) == (403, "forbidden", sentence)


def test_refusals_of_lock_and_state_keep_their_sentence(api: ComputeApi, compute: FakeCompute) -> None:
    server = compute.add()
    compute.refuse_with = exception.InstanceIsLocked(instance_uuid=server.uuid)
    answer = api("POST", f"/servers/{server.uuid}/action", {"os-stop": None})
    assert fault(answer) == (409, "conflictingRequest", f"Instance {server.uuid} is locked")


# -- our own faults ---------------------------------------------------------------------------------


@pytest.mark.parametrize("error", [RuntimeError("/etc/secret"), exception.NovaLiteError("db at 10.0.0.1: password")])
def test_a_fault_of_our_own_tells_its_class_only(api: ComputeApi, compute: FakeCompute, error: Exception) -> None:
    server = compute.add()
    compute.refuse_with = error
    answer = api("POST", f"/servers/{server.uuid}/action", {"os-stop": None})
    status, key, sentence = fault(answer)
    assert (status, key) == (500, "computeFault")
    assert sentence.startswith("Unexpected API Error. Please report this at ")
    assert type(error).__name__ in sentence
    assert "secret" not in sentence
    assert "password" not in sentence
    assert answer.headers["x-openstack-request-id"].startswith("req-")
    assert answer.headers["OpenStack-API-Version"] == "compute 2.1"


def test_a_refusal_to_retry_later_says_so_twice(api: ComputeApi, compute: FakeCompute) -> None:
    server = compute.add()
    compute.refuse_with = exception.Unavailable(retry_after=5)
    answer = api("POST", f"/servers/{server.uuid}/action", {"os-stop": None})
    assert answer.headers["Retry-After"] == "5"
    assert answer.json["serviceUnavailable"]["retryAfter"] == "5"


# -- queries ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("query", ["limit=%ff", "name=a%00b", "&".join(f"name={n}" for n in range(1001))])
def test_a_query_no_database_could_keep_is_400(api: ComputeApi, query: str) -> None:
    assert fault(api("GET", f"/servers?{query}"))[:2] == (400, "badRequest")


def test_empty_answers_have_a_type_and_no_length(api: ComputeApi, compute: FakeCompute) -> None:
    server = compute.add()
    for answer in (
        api("DELETE", f"/servers/{server.uuid}"),
        api("POST", f"/servers/{server.uuid}/action", {"pause": None}),
    ):
        assert answer.data == b""
        assert answer.headers["Content-Length"] == "0"
        assert answer.headers["Content-Type"] == "application/json"


def test_words_that_are_no_utf8_are_answered_not_a_500(api: ComputeApi) -> None:
    environ = environ_of("GET", "/v2.1/servers/\udcff", headers={"X-Auth-Token": "user:project"})
    from tests.harness.compute_api import ask

    assert ask(api.app, environ).status == 404
