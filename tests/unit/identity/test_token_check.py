"""The lean token check answers as keystonemiddleware does: same environment, same refusals, same headers."""

from __future__ import annotations

import copy
import datetime
from typing import Any

import pytest
from keystonemiddleware import auth_token
from keystonemiddleware.auth_token import _exceptions
from oslo_config import cfg

from nova_lite import clock
from nova_lite.conf import service_auth
from nova_lite.identity import authtoken
from nova_lite.identity.token_check import TokenCheck, proof_of
from tests.harness.compute_api import Answer, ask, environ_of

DAY = datetime.timedelta(days=1)
SPOOFED = {"X-Roles": "admin", "X-User-Id": "root", "X-Service-Roles": "service", "X-Identity-Status": "Confirmed"}


def _token(**more: Any) -> dict[str, Any]:
    domain = {"id": "default", "name": "Default"}
    token = {
        "methods": ["password"],
        "user": {"id": "u1", "name": "Zoë", "domain": domain},
        "project": {"id": "p1", "name": "demo", "domain": domain},
        "roles": [{"id": "r1", "name": "member"}, {"id": "r2", "name": "reader"}],
        "issued_at": "2026-11-20T00:00:00.000000Z",
        "expires_at": f"{(clock.utcnow() + DAY).isoformat()}Z",
        "catalog": [
            {"type": "image", "id": "s", "endpoints": [{"interface": "public", "region": "R", "url": "http://i"}]}
        ],
    }
    return {"token": {**token, **more}}


class Inner:
    """An application that keeps what it got."""

    def __init__(self, status: str = "200 OK") -> None:
        self.status = status
        self.environ: dict[str, Any] = {}

    def __call__(self, environ: dict[str, Any], start_response: Any) -> list[bytes]:
        self.environ = environ
        start_response(self.status, [("Content-Type", "application/json"), ("Content-Length", "2")])
        return [b"{}"]


class Side:
    """One of the two checks, in front of an application and behind a Keystone of its own."""

    def __init__(self, kind: type[auth_token.AuthProtocol], tokens: dict[str, Any], status: str = "200 OK") -> None:
        conf = cfg.ConfigOpts()
        conf([], default_config_files=[], default_config_dirs=[])
        service_auth.register(conf)
        conf.set_override("auth_url", "http://127.0.0.1:5000/v3", group="service_auth")
        authtoken.apply(conf)
        self.inner = Inner(status)
        self.asked: list[str] = []
        self.tokens = tokens
        self.check = kind(self.inner, {"oslo_config_config": conf})
        self.check._identity_server = self

    def verify_token(self, token: str, allow_expired: bool = False) -> Any:
        self.asked.append(token)
        if token not in self.tokens:
            raise _exceptions.InvalidToken
        return copy.deepcopy(self.tokens[token])

    def get(self, token: str | None = "good", **headers: str) -> Answer:
        self.inner.environ = {}
        given = {**SPOOFED, **({"X-Auth-Token": token} if token else {}), **headers}
        return ask(self.check, environ_of("GET", "/servers", headers=given))

    def seen(self) -> dict[str, Any]:
        kept = {name: value for name, value in self.inner.environ.items() if not name.startswith(("wsgi", "webob"))}
        plugin = kept.pop("keystone.token_auth", None)
        if plugin is not None:
            kept["user"] = (plugin.user.auth_token, plugin.user.user_id, plugin.user.role_names, plugin.service)
            kept["auth"] = (type(plugin._auth).__name__, type(plugin._session).__name__)
        return kept


@pytest.fixture
def lean() -> Side:
    return Side(TokenCheck, {"good": _token()})


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"project": None, "system": {"all": True}},
        {"project": None, "domain": {"id": "d", "name": "D"}},
        {"is_admin_project": False},
        {"catalog": []},
        {"application_credential": {"id": "a", "restricted": True}},
        {"bind": {"x509": "someone"}},
        {"expires_at": "2020-01-01T00:00:00Z"},
    ],
)
@pytest.mark.parametrize("headers", [{}, {"X-Service-Token": "good"}, {"X-Service-Token": "bad"}])
def test_the_environment_is_the_stock_ones(more: dict[str, Any], headers: dict[str, str]) -> None:
    token = _token(**more)
    token["token"] = {name: value for name, value in token["token"].items() if value is not None}
    stock, lean = Side(auth_token.AuthProtocol, {"good": token}), Side(TokenCheck, {"good": token})
    for _ in range(3):
        expected, answer = stock.get(" good", **headers), lean.get(" good", **headers)
        assert (answer.status, answer.data) == (expected.status, expected.data)
        assert answer.headers == expected.headers
        assert lean.seen() == stock.seen()
    assert lean.asked == stock.asked


@pytest.mark.parametrize("token", [None, "bad", ""])
def test_what_is_not_proven_is_refused(lean: Side, token: str | None) -> None:
    for _ in range(2):
        assert lean.get(token).status == 401
        assert lean.inner.environ == {}


def test_keystone_is_asked_again_as_soon_as_the_cache_forgets(lean: Side) -> None:
    assert [lean.get().status for _ in range(3)] == [200, 200, 200]
    assert lean.asked == ["good"]
    lean.tokens.clear()  # revoked: noticed when the cache time is over, as always
    assert lean.get().status == 200
    for client in lean.check._token_cache._cache_pool:
        client.cache.clear()
    assert lean.get().status == 401


def test_a_token_ends_while_it_is_cached(lean: Side, monkeypatch: pytest.MonkeyPatch) -> None:
    assert [lean.get().status, lean.get().status] == [200, 200]
    later = clock.utcnow() + 2 * DAY
    monkeypatch.setattr(clock, "utcnow", lambda: later)
    monkeypatch.setattr("keystoneauth1._utils.from_utcnow", lambda **_: later)
    assert lean.get().status == 401


def test_nobody_can_change_what_the_next_request_sees(lean: Side) -> None:
    lean.get()
    for _ in range(2):
        assert lean.get().status == 200
        assert lean.inner.environ["HTTP_X_ROLES"] == "member,reader"
        assert len(lean.inner.environ["keystone.token_info"]["token"]["roles"]) == 2
        lean.inner.environ["HTTP_X_ROLES"] = "admin"
        lean.inner.environ["keystone.token_info"]["token"]["roles"].clear()


def test_a_refusal_from_behind_says_where_to_log_in() -> None:
    side = Side(TokenCheck, {"good": _token()}, "401 Unauthorized")
    assert [side.get().headers["WWW-Authenticate"] for _ in range(2)] == ['Keystone uri="http://127.0.0.1:5000/v3"'] * 2


@pytest.mark.parametrize("answer", [b"[]", b"{}", b'{"access": {}}', b'{"token": 1}'])
def test_no_proof_of_what_is_no_token(answer: bytes) -> None:
    assert proof_of(answer, True) is None
