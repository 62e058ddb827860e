"""Who may do what beyond the matrix of roles (test_policy_matrix.py): keypairs, no token, forged ones, /v2."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import webob

from nova_lite import conf as nova_conf
from nova_lite.api import deploy
from tests.harness.cloud import ADMIN, PROJECT, STRANGER, USER, Cloud

pytestmark = pytest.mark.answers


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    with Cloud(tmp_path_factory.mktemp("who-may"), hosts=1) as running:
        yield running


@pytest.fixture(scope="module")
def server(cloud: Cloud) -> str:
    return str(cloud.boot(name="mine")["id"])


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
