"""The filters: ids, nets, contexts, spoofed headers."""

from __future__ import annotations

from typing import Any

import pytest

from nova_lite import exception
from nova_lite.api.middleware.fault_wrap import FaultWrap
from nova_lite.api.middleware.keystone_context import KeystoneContext
from nova_lite.api.middleware.noauth import NoAuth
from nova_lite.api.middleware.request_id import ComputeRequestId
from nova_lite.api.middleware.size_limit import SizeLimit
from nova_lite.api.middleware.spoofing import HEADERS
from tests.harness.compute_api import ask, environ_of

GLOBAL_ID = "req-11111111-2222-3333-4444-555555555555"


class Keeper:
    """An application that keeps what it got."""

    def __init__(self) -> None:
        self.environ: dict[str, Any] = {}

    def __call__(self, environ: dict[str, Any], start_response: Any) -> list[bytes]:
        self.environ = environ
        start_response("200 OK", [("Content-Length", "2")])
        return [b"{}"]


def test_every_request_has_an_id_and_the_callers_is_kept_for_the_logs() -> None:
    inner = Keeper()
    answer = ask(ComputeRequestId(inner), environ_of("GET", "/", headers={"X-OpenStack-Request-ID": GLOBAL_ID}))
    mine = inner.environ["openstack.request_id"]
    assert answer.headers["x-openstack-request-id"] == answer.headers["x-compute-request-id"] == mine
    assert mine != GLOBAL_ID
    assert inner.environ["openstack.global_request_id"] == GLOBAL_ID


@pytest.mark.parametrize("given", ["x", "req-1", GLOBAL_ID + "\n", "req-" + "z" * 36, ""])
def test_an_id_that_is_none_goes_nowhere(given: str) -> None:
    inner = Keeper()
    ask(ComputeRequestId(inner), environ_of("GET", "/", headers={"X-OpenStack-Request-ID": given}))
    assert "openstack.global_request_id" not in inner.environ


@pytest.mark.parametrize(
    ("error", "status"), [(RuntimeError("secret"), 500), (exception.Conflict("busy"), 409), (exception.TooLarge(), 413)]
)
def test_what_nobody_caught_is_answered(error: Exception, status: int) -> None:
    def broken(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        raise error

    answer = ask(FaultWrap(broken), environ_of("GET", "/"))
    assert answer.status == status
    assert answer.exc_info is not None
    assert "secret" not in answer.data.decode()


@pytest.mark.parametrize("length", ["114689", "9" * 30])
def test_a_declared_length_over_the_limit_is_refused_unread(length: str) -> None:
    inner = Keeper()
    answer = ask(SizeLimit(inner, 114688), environ_of("POST", "/", headers={"Content-Length": length}))
    assert answer.status == 413
    assert inner.environ == {}


def test_the_limit_itself_passes() -> None:
    inner = Keeper()
    ask(SizeLimit(inner, 114688), environ_of("POST", "/", headers={"Content-Length": "114688"}))
    assert inner.environ["CONTENT_LENGTH"] == "114688"


PROVEN = {
    "X-Identity-Status": "Confirmed",
    "X-User-Id": "u1",
    "X-Project-Id": "p1",
    "X-Roles": "member,reader",
    "X-Auth-Token": "secret",
    "X-Service-Catalog": '[{"type": "image"}]',
}


def context(**changes: str) -> Any:
    inner = Keeper()
    headers = {**PROVEN, **{name.replace("_", "-"): value for name, value in changes.items()}}
    environ = {**environ_of("GET", "/", headers=headers), "openstack.request_id": "req-1"}
    answer = ask(KeystoneContext(inner), environ)
    return answer, inner.environ.get("nova_lite.context")


def test_a_proven_token_becomes_a_context() -> None:
    answer, ctxt = context()
    assert answer.status == 200
    assert (ctxt.user_id, ctxt.project_id, ctxt.roles, ctxt.is_admin) == ("u1", "p1", ["member", "reader"], False)
    assert (ctxt.request_id, ctxt.service_catalog, ctxt.auth_token) == ("req-1", [{"type": "image"}], "secret")
    assert "secret" not in str(ctxt.to_wire())


def test_admin_is_a_role() -> None:
    assert context(X_Roles="reader, admin")[1].is_admin is True
    assert context(X_Roles="administrator")[1].is_admin is False


@pytest.mark.parametrize("changes", [{"X_Identity_Status": "Invalid"}, {"X_User_Id": ""}, {"X_Identity_Status": ""}])
def test_nothing_proven_is_401(changes: dict[str, str]) -> None:
    answer, ctxt = context(**changes)
    assert (answer.status, ctxt) == (401, None)
    assert answer.json["unauthorized"]["code"] == 401


@pytest.mark.parametrize("catalog", ["", "x", "{}"])
def test_a_catalog_that_is_none_is_empty(catalog: str) -> None:
    assert context(X_Service_Catalog=catalog)[1].service_catalog == []


def test_noauth_believes_the_token_and_no_other_header() -> None:
    inner = Keeper()
    headers = {"X-Auth-Token": "user:p1", **{name[5:].replace("_", "-"): "admin" for name in HEADERS}}
    ask(NoAuth(inner), environ_of("GET", "/", headers=headers))
    ctxt = inner.environ["nova_lite.context"]
    assert (ctxt.user_id, ctxt.project_id, ctxt.is_admin, ctxt.roles) == ("user", "p1", False, ["member", "reader"])
    assert not HEADERS & inner.environ.keys()


def test_noauth_makes_admin_an_administrator() -> None:
    inner = Keeper()
    ask(NoAuth(inner), environ_of("GET", "/", headers={"X-Auth-Token": "admin"}))
    ctxt = inner.environ["nova_lite.context"]
    assert (ctxt.project_id, ctxt.is_admin) == ("admin", True)


def test_noauth_gives_a_token_to_who_has_none() -> None:
    environ = {**environ_of("GET", "/", headers={"X-Auth-User": "u", "X-Auth-Project-Id": "p"}), "SCRIPT_NAME": "/v2.1"}
    answer = ask(NoAuth(Keeper()), environ)
    assert (answer.status, answer.headers["X-Auth-Token"]) == (204, "u:p")
    assert answer.headers["X-Server-Management-Url"] == "http://cloud:8774/v2.1/p"
