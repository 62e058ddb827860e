"""Bad input gets the contract's exact answers (states.md, sections 3 and 7; hostile shapes of the security list)."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.harness.cloud import ADMIN, IMAGE_ID, PROJECT, STRANGER, USER, Answer, Cloud

pytestmark = pytest.mark.answers

KEYS = {
    400: "badRequest", 403: "forbidden", 404: "itemNotFound", 409: "conflictingRequest", 415: "badMediaType",
}  # fmt: skip
INSIDES = re.compile(r"Traceback|sqlalchemy|sqlite|nova_lite/|File \"|<class|object at 0x", re.I)
KEY = "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAgQDx8nkQv/zgGgB4rMYmIf+6A4l6Rr+o/6lHBQdW5aYd44bd8JttDCE/F/pNRr0lRE+PiqSPO8nD\
PHw0010JeMH9gYgnnFlyY3/OcJ02RhIPyyxYpv9FhY+2YiUkpwFOcLImyrxEsYXpD/0d3ac30bNH6Sw9JD9UZHYcpSxsIbECHw== test"
GONE = "This resource is no longer available. No forwarding address is given."
NOT_FOUND = "The resource could not be found."


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    options = {"quota": {"instances": 10, "cores": 20, "ram": 51200}}
    with Cloud(tmp_path_factory.mktemp("bad-input"), hosts=1, options=options) as running:
        yield running


@pytest.fixture(scope="module")
def server(cloud: Cloud) -> str:
    """An active server of the user's."""
    return str(cloud.boot(name="good")["id"])


@pytest.fixture(scope="module")
def keypair(cloud: Cloud) -> str:
    body = {"keypair": {"name": "k1", "public_key": KEY}}
    assert cloud.post("/os-keypairs", body, version="2.2").status == 201
    return "k1"


@dataclass(frozen=True)
class Bad:
    """One bad request; ``message`` is what the answer says, a pattern where it begins with ``^``."""

    name: str
    method: str
    path: str
    status: int
    message: str
    body: Any = None
    version: str | None = "2.104"
    token: str | None = USER
    headers: Mapping[str, str] = field(default_factory=dict)


def _create(**changes: Any) -> dict[str, Any]:
    body = {"name": "n", "imageRef": IMAGE_ID, "flavorRef": "42", "networks": "auto"}
    return {"server": {key: value for key, value in {**body, **changes}.items() if value is not ...}}


def _field(name: str, value: str, rest: str) -> str:
    return "^" + re.escape(f"Invalid input for field/attribute {name}. Value: {value}") + ".*" + re.escape(rest)


BODIES = [
    Bad("no JSON", "POST", "/servers", 400, "Malformed request body", b'{"server": '),
    Bad("no UTF-8", "POST", "/servers", 400, "Malformed request body", b'{"server": "\xff\xfe"}'),
    Bad("no body", "POST", "/servers", 400, "None is not of type 'object'"),
    Bad("a list", "POST", "/servers", 400, "^.*is not of type 'object'", []),
    Bad("empty object", "POST", "/servers", 400, "'server' is a required property", {}),
    Bad("name missing", "POST", "/servers", 400, _field("server", "{", "'name' is a required property"),
        _create(name=...)),
    Bad("name a number", "POST", "/servers", 400,
        "Invalid input for field/attribute name. Value: 5. 5 is not of type 'string'", _create(name=5)),
    Bad("unknown key", "POST", "/servers", 400,
        _field("server", "{", "Additional properties are not allowed ('zzz' was unexpected)"), _create(zzz=1)),
    Bad("blank name", "POST", "/servers", 400,
        "^.*An invalid 'name' value was provided. The name must be: printable characters. "
        "Can not start or end with whitespace.", _create(name="   ")),
    Bad("long name", "POST", "/servers", 400, "^Invalid input for field/attribute name.* is too long",
        _create(name="n" * 256)),
    Bad("networks missing", "POST", "/servers", 400, "^.*'networks' is a required property", _create(networks=...)),
    Bad("personality after 2.57", "POST", "/servers", 400, "^.*'personality' was unexpected",
        _create(personality=[{"path": "/etc/cron.d/x", "contents": "eA=="}])),
    Bad("user data no base64", "POST", "/servers", 400, "^Invalid input for field/attribute user_data",
        _create(user_data="this is no base64!")),
    Bad("user data too long", "POST", "/servers", 400, "^Invalid input for field/attribute user_data",
        _create(user_data="QUFB" * 16400)),
    Bad("count of nothing", "POST", "/servers", 400, "^Invalid input for field/attribute min_count",
        _create(min_count=0)),
    Bad("count of too many digits", "POST", "/servers", 400,
        "^Invalid input for field/attribute max_count.* is too long", _create(max_count="9" * 5000)),
    Bad("count of nonillions", "POST", "/servers", 403, "^Quota exceeded for cores, instances",
        _create(min_count=10**30)),
    Bad("min over max", "POST", "/servers", 400, "min_count must be <= max_count", _create(min_count=3, max_count=2)),
    Bad("unknown flavor", "POST", "/servers", 400, "Flavor 999 could not be found.", _create(flavorRef="999")),
    Bad("unknown image", "POST", "/servers", 400, "Can not find requested image",
        _create(imageRef="11111111-2222-3333-4444-555555555555")),
    Bad("unknown key pair", "POST", "/servers", 400, "Invalid key_name provided.", _create(key_name="zzz")),
    Bad("unknown zone", "POST", "/servers", 400, "The requested availability zone is not available",
        _create(availability_zone="mars")),
    Bad("metadata of 129", "POST", "/servers", 403, "Maximum number of metadata items exceeds 128",
        _create(metadata={f"k{number}": "v" for number in range(129)})),
    Bad("over quota", "POST", "/servers", 403,
        "^Quota exceeded for cores, instances: Requested 100, 100, but already used .* of 20, 10 cores, instances",
        _create(min_count=100)),
    Bad("host by a user", "POST", "/servers", 403,
        "Policy doesn't allow compute:servers:create:requested_destination to be performed.", _create(host="host1")),
    Bad("foreign type", "POST", "/servers", 415, "Unsupported Content-Type", b"<server/>",
        headers={"Content-Type": "application/xml"}),
    Bad("text read as JSON", "POST", "/servers", 400, "'server' is a required property", b"{}",
        headers={"Content-Type": "text/plain"}),
    Bad("key pair exists", "POST", "/os-keypairs", 409, "Key pair 'k1' already exists.",
        {"keypair": {"name": "k1", "public_key": KEY}}),
    Bad("no public key", "POST", "/os-keypairs", 400, "^.*'public_key' is a required property",
        {"keypair": {"name": "k2"}}),
    Bad("bad public key", "POST", "/os-keypairs", 400, "Keypair data is invalid: failed to generate fingerprint",
        {"keypair": {"name": "k2", "public_key": "ssh-rsa AAAA nonsense"}}),
]  # fmt: skip

PATHS = [
    Bad("no uuid", "GET", "/servers/foo", 404, "Instance foo could not be found."),
    Bad("no such server", "GET", "/servers/11111111-2222-3333-4444-555555555555", 404,
        "Instance 11111111-2222-3333-4444-555555555555 could not be found."),
    Bad("no such flavor", "GET", "/flavors/zzz", 404, "Flavor zzz could not be found."),
    Bad("no such key pair", "GET", "/os-keypairs/zzz", 404, "Keypair zzz not found for user demo"),
    Bad("access list of a public flavor", "GET", "/flavors/42/os-flavor-access", 404,
        "Access list not available for public flavors.", token=ADMIN),
    Bad("not at this version", "PUT", "/flavors/42", 404, NOT_FOUND, {"flavor": {"description": "x"}}, "2.54", ADMIN),
    Bad("removed", "GET", "/os-cells", 410, GONE),
    Bad("removed, long ago", "POST", "/os-certificates", 410, GONE, {}, "2.1"),
    Bad("another project in the path", "GET", "/v2.1/0123456789abcdef/servers", 400,
        "Malformed request URL: URL's project_id '0123456789abcdef' doesn't match "
        f"Context's project_id '{PROJECT}'"),
    Bad("admins only", "GET", "/os-hypervisors", 403,
        "Policy doesn't allow os_compute_api:os-hypervisors:list to be performed."),
    Bad("everybody's servers", "GET", "/servers?all_tenants=1", 403,
        "Policy doesn't allow os_compute_api:servers:index:get_all_tenants to be performed."),
    Bad("negative limit", "GET", "/servers?limit=-1", 400,
        "Invalid input for query parameters limit. Value: -1. '-1' does not match '^[0-9]*$'"),
    Bad("limit of letters", "GET", "/flavors?limit=abc", 400,
        "Invalid input for query parameters limit. Value: abc. 'abc' does not match '^[0-9]*$'"),
    Bad("unknown marker", "GET", "/servers?marker=zzz", 400, "marker [zzz] not found"),
    Bad("unknown key pair marker", "GET", "/os-keypairs?marker=zzz", 400, "Marker zzz could not be found."),
    Bad("unknown query key of servers", "GET", "/servers?zzz=1", 400, "^.*'zzz' does not match any of the regexes"),
    Bad("unknown query key of flavors", "GET", "/flavors?zzz=1", 400,
        "^.*Additional properties are not allowed \\('zzz' was unexpected\\)"),
    Bad("unknown status", "GET", "/servers?status=dancing", 400, "Invalid status value"),
    Bad("deleted servers", "GET", "/servers?status=deleted", 403, "Only administrators may list deleted instances"),
    Bad("sort by a secret", "GET", "/servers?sort_key=__class__", 400, "^Invalid input for query parameters sort_key"),
    Bad("sort by host", "GET", "/servers?sort_key=host", 403, "^.*"),
    Bad("time of nonsense", "GET", "/servers?changes-since=yesterday", 400, "^Invalid input for query parameters"),
]  # fmt: skip

VERSIONS = [
    Bad("too high", "GET", "/servers", 406,
        "Version 2.999 is not supported by the API. Minimum is 2.1 and maximum is 2.104.", version="2.999"),
    Bad("too low", "GET", "/servers", 406,
        "Version 2.0 is not supported by the API. Minimum is 2.1 and maximum is 2.104.", version="2.0"),
    Bad("no number", "GET", "/servers", 400,
        "API Version String abc is of invalid format. Must be of format MajorNum.MinorNum.", version="abc"),
    Bad("three numbers", "GET", "/servers", 400,
        "API Version String 2.1.1 is of invalid format. Must be of format MajorNum.MinorNum.", version="2.1.1"),
]  # fmt: skip

ACTIONS = [
    Bad("no action", "POST", "/servers/{server}/action", 400, "Malformed request body", {}),
    Bad("two actions", "POST", "/servers/{server}/action", 400, "Malformed request body",
        {"pause": None, "suspend": None}),
    Bad("no JSON", "POST", "/servers/{server}/action", 400, "Malformed request body", b"os-stop"),
    Bad("unknown action", "POST", "/servers/{server}/action", 400, "There is no such action: fly", {"fly": None}),
    Bad("wrong state", "POST", "/servers/{server}/action", 409,
        "Cannot 'start' instance {server} while it is in vm_state active", {"os-start": None}),
    Bad("reboot of no kind", "POST", "/servers/{server}/action", 400, "^Invalid input for field/attribute type",
        {"reboot": {"type": "GENTLE"}}),
    Bad("reset by a user", "POST", "/servers/{server}/action", 403,
        "Policy doesn't allow os_compute_api:os-admin-actions:reset_state to be performed.",
        {"os-resetState": {"state": "error"}}),
    Bad("reset to nowhere", "POST", "/servers/{server}/action", 400, "^Invalid input for field/attribute state",
        {"os-resetState": {"state": "paused"}}, token=ADMIN),
    Bad("a stranger's action", "POST", "/servers/{server}/action", 404, "Instance {server} could not be found.",
        {"os-stop": None}, token=STRANGER),
    Bad("a stranger's look", "GET", "/servers/{server}", 404, "Instance {server} could not be found.",
        token=STRANGER),
    Bad("a stranger's change", "PUT", "/servers/{server}", 404, "Instance {server} could not be found.",
        {"server": {"name": "mine"}}, token=STRANGER),
    Bad("a stranger's delete", "DELETE", "/servers/{server}", 404, "Instance {server} could not be found.",
        token=STRANGER),
    Bad("a stranger's actions", "GET", "/servers/{server}/os-instance-actions", 404,
        "Instance {server} could not be found.", token=STRANGER),
    Bad("a stranger's marker", "GET", "/servers?marker={server}", 400, "marker [{server}] not found",
        token=STRANGER),
    Bad("bad body before unknown server", "PUT", "/servers/11111111-2222-3333-4444-555555555555", 400,
        "^Invalid input for field/attribute name", {"server": {"name": 5}}),
]  # fmt: skip


def _send(cloud: Cloud, bad: Bad, server: str = "") -> Answer:
    path = bad.path.replace("{server}", server)
    return cloud.request(bad.method, path, bad.body, bad.token, bad.version, bad.headers)


@pytest.mark.parametrize("bad", [*BODIES, *PATHS, *VERSIONS, *ACTIONS], ids=lambda bad: bad.name)
def test_exact_answers(cloud: Cloud, server: str, keypair: str, bad: Bad) -> None:
    answer = _send(cloud, bad, server)
    assert answer.status == bad.status, answer.body
    assert list(answer.json) == [KEYS.get(bad.status, "computeFault")]
    (inner,) = answer.json.values()
    assert inner["code"] == bad.status
    message = bad.message.replace("{server}", server)
    assert re.search(message, inner["message"], re.S) if message.startswith("^") else inner["message"] == message
    assert answer.headers["Content-Type"] == "application/json; charset=UTF-8"
    assert not INSIDES.search(answer.body.decode())
    ident = answer.headers["x-openstack-request-id"]
    assert ident.startswith("req-") and ident == answer.headers["x-compute-request-id"]


def test_a_refused_version_is_repeated_and_a_malformed_one_is_not(cloud: Cloud) -> None:
    refused = cloud.get("/servers", version="2.999").headers
    assert refused["OpenStack-API-Version"] == "compute 2.999"
    assert refused["X-OpenStack-Nova-API-Version"] == "2.999"
    assert "OpenStack-API-Version" not in cloud.get("/servers", version="abc").headers


UNKNOWN = {
    "message": "The resource could not be found.<br /><br />\n\n\n", "code": "404 Not Found", "title": "Not Found",
}  # fmt: skip


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/nowhere"), ("GET", "/servers/"), ("GET", "/servers.json"), ("PATCH", "/servers"),
        ("DELETE", "/flavors"), ("GET", "/servers/a/b/c/d"),
    ],
)  # fmt: skip
def test_paths_that_never_were(cloud: Cloud, method: str, path: str) -> None:
    answer = cloud.request(method, path)
    assert (answer.status, answer.json) == (404, UNKNOWN)


def test_no_head_and_no_405(cloud: Cloud) -> None:
    assert cloud.request("HEAD", "/servers").status == 404
    assert cloud.request("PUT", "/servers", {}).status == 404


def test_a_path_outside_the_api_offers_choices(cloud: Cloud) -> None:
    import webob

    response = webob.Request.blank("/somewhere", base_url="http://127.0.0.1:8774").get_response(cloud.app)
    assert response.status_int == 300
    assert {choice["id"] for choice in response.json["choices"]} >= {"v2.1"}


def test_bodies_are_limited_to_114688_bytes(cloud: Cloud) -> None:
    fits = json.dumps(_create(name="n", metadata={"a": "b" * 100})).encode()
    answer = cloud.post("/servers", fits + b" " * (114689 - len(fits)))
    assert answer.status == 413
    assert answer.json["code"] == "413 Request Entity Too Large"
    assert answer.json["title"] == "Request Entity Too Large"
    assert answer.json["message"].startswith("Request is too large.")
    bad = fits.replace(b'"n"', b"5  ")
    assert cloud.post("/servers", bad + b" " * (114688 - len(bad))).status == 400


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 50_000 + b"]" * 50_000, b'{"server":' * 10_000 + b"1" + b"}" * 10_000,
        b'{"server": {"name": NaN}}', b'{"server": {"name": 1e999}}', b'{"server": {"min_count": 1e999}}',
        b'{"server": {"name": "\\ud800"}}', b'{"server": {"name": "a\\u0000b"}}', b'"server"', b"null", b"17",
        b"\x00\x01\x02", b'{"server": {"name": "n"}, "server": {"name": 5}}', b'{"server": {"metadata": {"a": null}}}',
        b'{"server": {"name": "' + b"a" * 100_000 + b'"}}',
    ],
    ids=range(14),
)  # fmt: skip
def test_json_tricks_are_400_and_quick(cloud: Cloud, body: bytes) -> None:
    begun = time.monotonic()
    answer = cloud.post("/servers", body)
    assert answer.status == 400, answer.body
    assert list(answer.json) == ["badRequest"] and not INSIDES.search(answer.body.decode())
    assert len(answer.body) < 2 * len(body) + 10_000
    assert time.monotonic() - begun < 5


@pytest.mark.parametrize("key", ["name", "ip", "ip6"])
@pytest.mark.parametrize("pattern", ["(a+)+$", "[", "(", "*", "\\", "%", "_", "';--", "\x00", "a" * 5000])
def test_patterns_of_filters_do_no_harm(cloud: Cloud, server: str, key: str, pattern: str) -> None:
    import urllib.parse

    begun = time.monotonic()
    answer = cloud.get(f"/servers?{urllib.parse.urlencode({key: pattern})}")
    assert answer.status in (200, 400), answer.body
    assert time.monotonic() - begun < 5
    assert not INSIDES.search(answer.body.decode())


def test_a_quote_in_each_query_key_is_data(cloud: Cloud, server: str) -> None:
    for key in ("status", "image", "flavor", "reservation_id", "key_name", "tags", "not-tags", "changes-since"):
        answer = cloud.get(f"/servers?{key}=%27%20OR%201=1--")
        assert answer.status in (200, 400), (key, answer.body)
        assert answer.status == 400 or key == "not-tags" or answer.json["servers"] == [], key


def test_a_huge_limit_is_cut_down(cloud: Cloud, server: str) -> None:
    assert cloud.get(f"/servers?limit={10**9}").status == 200
    assert cloud.get(f"/servers?limit={10**40}").status in (200, 400)


@pytest.mark.parametrize("version", ["2.1", "2.74"])
def test_unknown_query_keys_were_ignored_once(cloud: Cloud, version: str) -> None:
    assert cloud.get("/servers?zzz=1", version=version).status == 200
    assert cloud.get("/flavors?zzz=1", version=version).status == 200


def test_an_unknown_status_was_an_empty_list_once(cloud: Cloud, server: str) -> None:
    answer = cloud.get("/servers?status=dancing", version="2.37")
    assert (answer.status, answer.json) == (200, {"servers": []})


SPOOFED = {
    "X-Roles": "admin", "X-Role": "admin", "X-User-Id": "admin", "X-Project-Id": "0", "X-Is-Admin-Project": "True",
    "X-Identity-Status": "Confirmed", "X-Service-Roles": "service",
}  # fmt: skip


@pytest.mark.parametrize(
    "path", ["/os-hypervisors", "//os-hypervisors", "/os%2Dhypervisors", f"/v2.1/{PROJECT}/os-hypervisors"]
)
def test_headers_and_spellings_open_no_door(cloud: Cloud, path: str) -> None:
    full = path if path.startswith("/v2") else f"/v2.1{path}"
    assert cloud.request("GET", full, headers=SPOOFED).status == 403
    assert cloud.request("GET", full, token=ADMIN).status == 200


def test_internal_scheduler_hints_are_not_the_clients(cloud: Cloud) -> None:
    body = {**_create(), "os:scheduler_hints": {"_nova_check_type": ["rebuild"]}}
    answer = cloud.post("/servers", body)
    assert answer.status in (202, 400)
    if answer.status == 202:
        ident = answer.json["server"]["id"]
        assert cloud.wait(ident, "ACTIVE")["OS-EXT-SRV-ATTR:host"] == "host1"
        cloud.delete(f"/servers/{ident}")
        cloud.wait_gone(ident)


def test_no_redirect_leads_away(cloud: Cloud) -> None:
    for path in ("/v2.1//evil.example.com/%2F..", "/v2.1/%5Cevil.example.com", "//evil.example.com/%2F.."):
        answer = cloud.request("GET", path if path.startswith("/v2") else "/v2.1" + path)
        assert answer.status >= 400 and "Location" not in answer.headers


def test_nothing_was_created_by_all_this(cloud: Cloud, server: str) -> None:
    names = [each["name"] for each in cloud.get("/servers?all_tenants=1", token=ADMIN).json["servers"]]
    assert names == ["good"]
    assert cloud.violations() == []
