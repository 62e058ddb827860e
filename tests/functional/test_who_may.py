"""Who may do what: every call of the route table with every role, and with a stranger's token.

Expectations are the contract's (``who`` in api.yaml); requests are its samples. No token, no answer; another project's
server is not found, whatever is asked of it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import webob

from nova_lite import conf as nova_conf
from nova_lite.api import deploy
from nova_lite.api.middleware.fault_wrap import FaultWrap
from nova_lite.api.middleware.keystone_context import KeystoneContext
from nova_lite.api.middleware.request_id import ComputeRequestId
from nova_lite.api.openstack.compute import application
from nova_lite.api.openstack.routes import ROUTES, Route
from nova_lite.api.openstack.urlmap import URLMap
from tests.harness.cloud import ADMIN, IMAGE_ID, PROJECT, STRANGER, USER, Cloud
from tests.harness.contract import material, substitute

try:
    OPERATIONS = material.operations()
except material.ContractMissing as error:
    pytest.skip(str(error), allow_module_level=True)

# Keystone's implied roles: each has those before it.
LADDER = ("reader", "member", "manager", "admin")
LEAST = {"any user": "reader", "project reader": "reader", "project member": "member", "admin": "admin"}
KEPT = [
    route for route in ROUTES
    if not route.handler.startswith(("retired:", "api_versions:"))
    and not route.path.startswith("/os-keypairs")  # a user's own: the next test
]  # fmt: skip
CHANGES = [route for route in KEPT if route.method != "GET"]


def _entry(route: Route) -> dict[str, Any]:
    def bare(path: str) -> str:
        return re.sub(r"\{\w+\}", "{}", path)

    (found,) = [
        each for each in OPERATIONS.values()
        if (each["method"], bare(each["path"]), each.get("action")) == (route.method, bare(route.path), route.action)
        and "mount" not in each
    ]  # fmt: skip
    return found


def _ids(route: Route) -> str:
    return f"{route.method} {route.path} {route.action or ''}".strip()


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    with Cloud(tmp_path_factory.mktemp("who-may"), hosts=1) as running:
        yield running


@pytest.fixture(scope="module")
def server(cloud: Cloud) -> str:
    return str(cloud.boot(name="mine")["id"])


Ask = Callable[..., tuple[int, Any]]


@pytest.fixture(scope="module")
def ask(cloud: Cloud) -> Ask:
    """Requests of somebody whom keystonemiddleware has proven to have a role in the project."""
    api = application.build(nova_conf.CONF, compute=cloud.compute)
    app = URLMap({"/v2.1/+": ComputeRequestId(FaultWrap(KeystoneContext(api)))})

    def send(route: Route, path: str, body: Any, role: str, project: str = PROJECT) -> tuple[int, Any]:
        request = webob.Request.blank(f"/v2.1{path}", method=route.method, base_url="http://127.0.0.1:8774")
        roles = LADDER[: LADDER.index(role) + 1]
        request.headers.update(
            {
                "X-Identity-Status": "Confirmed", "X-User-Id": "demo", "X-Project-Id": project,
                "X-Roles": ",".join(roles), "OpenStack-API-Version": f"compute {route.since}",
            }
        )  # fmt: skip
        if body is not None:
            request.body = json.dumps(body).encode()
            request.content_type = "application/json"
        answer = request.get_response(app)
        return answer.status_int, answer.json if answer.body else None

    return send


def _path(route: Route, server: str) -> str:
    if route.subject == "project":
        ident = PROJECT
    else:
        ident = server if route.path.startswith("/servers") else "42"
    first = re.sub(r"\{\w+\}", ident, route.path, count=1)
    return re.sub(r"\{\w+\}", "req-11111111-2222-3333-4444-555555555555", first)


def _body(route: Route, server: str) -> Any:
    paths = _entry(route).get("request_samples", [])
    if not paths:
        return None
    chosen = next(iter(material.samples_at(paths, (route.since.major, route.since.minor)).values()))
    ids = substitute.Ids(image=IMAGE_ID, flavor="42", server=server, host="host1", node="host1")
    return substitute.request(material.sample(chosen), ids)


@pytest.mark.parametrize("route", KEPT, ids=_ids)
def test_too_small_a_role_is_403_and_enough_is_not(ask: Ask, server: str, route: Route) -> None:
    least = LEAST[_entry(route)["who"]]
    for role in LADDER:
        enough = LADDER.index(role) >= LADDER.index(least)
        if enough and route.method != "GET":
            continue  # it would be done; what it does is tested elsewhere
        status, body = ask(route, _path(route, server), _body(route, server), role)
        assert (status == 403) != enough, (role, status, body)
        if not enough:
            assert body["forbidden"]["message"] == f"Policy doesn't allow {_rule(route)} to be performed."


def _rule(route: Route) -> str:
    return str(route.policy or _entry(route).get("policy"))


@pytest.mark.parametrize("route", CHANGES, ids=_ids)
def test_a_reader_changes_nothing(ask: Ask, server: str, route: Route) -> None:
    assert ask(route, _path(route, server), _body(route, server), "reader")[0] == 403


@pytest.mark.parametrize("route", [each for each in KEPT if each.subject == "project"], ids=_ids)
@pytest.mark.parametrize("role", ["reader", "member", "manager"])
def test_another_projects_limits_are_its_own(ask: Ask, server: str, route: Route, role: str) -> None:
    status, _ = ask(route, _path(route, server), _body(route, server), role, project="another")
    everybodys = _entry(route)["who"] == "any user"
    assert status == (200 if everybodys else 403)


@pytest.mark.parametrize("route", [each for each in KEPT if each.subject and each.subject != "project"], ids=_ids)
@pytest.mark.parametrize("role", ["reader", "member", "manager"])
def test_another_projects_server_is_not_found(ask: Ask, server: str, route: Route, role: str) -> None:
    status, body = ask(route, _path(route, server), _body(route, server), role, project="another")
    assert status == 404, body
    assert body["itemNotFound"]["message"] == f"Instance {server} could not be found."


def test_nothing_of_this_left_a_trace(cloud: Cloud, server: str) -> None:
    shown = cloud.show(server)
    assert shown is not None
    assert (shown["name"], shown["status"], shown["locked"]) == ("mine", "ACTIVE", False)
    actions = cloud.get(f"/servers/{server}/os-instance-actions").json["instanceActions"]
    assert [each["action"] for each in actions] == ["create"]
    assert len(cloud.get("/servers?all_tenants=1", token=ADMIN).json["servers"]) == 1


def test_keypairs_are_their_users_own(cloud: Cloud) -> None:
    key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl mine"
    assert cloud.post("/os-keypairs", {"keypair": {"name": "mine", "public_key": key}}).status == 201
    assert cloud.get("/os-keypairs/mine", token=STRANGER).status == 404
    assert cloud.get("/os-keypairs/mine?user_id=demo", token=STRANGER).status == 403
    assert cloud.request("DELETE", "/os-keypairs/mine?user_id=demo", token=STRANGER).status == 403
    assert cloud.get("/os-keypairs", token=STRANGER).json == {"keypairs": []}
    assert cloud.get("/os-keypairs/mine?user_id=demo", token=ADMIN).status == 200


# -- no token -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def guarded(cloud: Cloud) -> Iterator[Any]:
    """The keystone pipeline of the Paste file; no identity service is asked about a request without a token."""
    settings = nova_conf.CONF
    settings.set_override("auth_strategy", "keystone", "api")
    settings.set_override("auth_url", "http://127.0.0.1:5000/v3", "service_auth")
    try:
        yield deploy.load_app("osapi_compute", conf=settings)
    finally:
        settings.set_override("auth_strategy", "noauth2", "api")
        settings.clear_override("auth_url", "service_auth")


def _plain(app: Any, method: str, path: str, **headers: str) -> webob.Response:
    request = webob.Request.blank(path, method=method, base_url="http://127.0.0.1:8774")
    request.headers.update({name.replace("_", "-"): value for name, value in headers.items()})
    return request.get_response(app)


@pytest.mark.parametrize(("method", "path"), [("GET", "/servers"), ("POST", "/servers"), ("GET", "/nowhere")])
@pytest.mark.parametrize("endpoint", ["/v2", "/v2.1", f"/v2.1/{PROJECT}"])
def test_no_token_is_401(guarded: Any, method: str, path: str, endpoint: str) -> None:
    answer = _plain(guarded, method, endpoint + path)
    assert answer.status_int == 401
    assert answer.json == {
        "error": {
            "code": 401, "title": "Unauthorized", "message": "The request you have made requires authentication.",
        }
    }  # fmt: skip
    assert answer.headers["WWW-Authenticate"].startswith('Keystone uri="http://127.0.0.1:5000')
    assert answer.headers["x-openstack-request-id"] == answer.headers["x-compute-request-id"]


def test_forged_headers_are_no_token(guarded: Any) -> None:
    forged = {"X_Identity_Status": "Confirmed", "X_User_Id": "admin", "X_Roles": "admin", "X_Project_Id": PROJECT}
    assert _plain(guarded, "GET", "/v2.1/servers", **forged).status_int == 401


@pytest.mark.parametrize("path", ["/", "/v2", "/v2/", "/v2.1", "/v2.1/", "/healthcheck"])
def test_discovery_needs_no_token(guarded: Any, path: str) -> None:
    assert _plain(guarded, "GET", path).status_int in (200, 300)


def test_the_old_endpoint_is_2_1_and_ignores_what_it_does_not_know(cloud: Cloud, server: str) -> None:
    answer = cloud.get(f"/v2/servers/{server}", version="2.96")
    assert answer.status == 200 and "locked" not in answer.json["server"]
    assert "OpenStack-API-Version" not in answer.headers and "Vary" not in answer.headers
    body = {"server": {"name": "again", "zzz": 1}}
    assert cloud.request("PUT", f"/v2/servers/{server}", body, token=USER, version=None).status == 200
    assert cloud.request("PUT", f"/v2.1/servers/{server}", body, token=USER, version=None).status == 400
