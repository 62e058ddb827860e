"""Logging in, looking at tokens and giving them up."""

from __future__ import annotations

import datetime
import json

import pytest

from nova_lite import clock
from nova_lite.embedded.identity.wsgi import make_app

DEMO = {"project": {"name": "demo", "domain": {"name": "Default"}}}
SYSTEM = {"system": {"all": True}}


def subject(identity, token, asker=None, method="GET", query=""):
    return identity.request(method, f"/v3/auth/tokens{query}", token=asker or token, X_Subject_Token=token)


def names(body):
    return [role["name"] for role in body["token"]["roles"]]


def test_a_password_buys_a_project_token_with_the_catalogue(identity):
    answer = identity.login("demo", DEMO)
    token = answer.json["token"]
    assert answer.status_int == 201
    assert token["project"]["name"] == "demo" and token["project"]["domain"] == {"id": "default", "name": "Default"}
    assert names(answer.json) == ["member", "reader"]
    assert {row["type"] for row in token["catalog"]} == {"identity", "compute", "image", "network", "block-storage"}
    assert {row["interface"] for row in token["catalog"][0]["endpoints"]} == {"public", "internal", "admin"}
    assert token["methods"] == ["password"] and token["user"]["name"] == "demo"


def test_catalogue_urls_are_the_configured_ones(identity):
    rows = identity.login("demo", DEMO).json["token"]["catalog"]
    urls = {row["type"]: row["endpoints"][0]["url"] for row in rows}
    assert urls == {
        "identity": "http://127.0.0.1:5000/v3",
        "compute": "http://127.0.0.1:8774/v2.1",
        "image": "http://127.0.0.1:9292",
        "network": "http://127.0.0.1:9696",
        "block-storage": "http://127.0.0.1:8776/v3",
    }


def test_nocatalog_leaves_the_catalogue_out(identity):
    assert "catalog" not in identity.login("demo", DEMO, query="?nocatalog").json["token"]


def test_admin_has_the_implied_roles(identity):
    scope = {"project": {"name": "admin", "domain": {"id": "default"}}}
    assert names(identity.login("admin", scope).json) == ["admin", "manager", "member", "reader"]


@pytest.mark.parametrize(
    ("scope", "key"),
    [(SYSTEM, "system"), ({"domain": {"id": "default"}}, "domain"), ({"domain": {"name": "Default"}}, "domain")],
)
def test_admin_may_have_other_scopes(identity, scope, key):
    token = identity.login("admin", scope).json["token"]
    assert key in token and "project" not in token and token["roles"]


def test_an_unscoped_token_has_neither_roles_nor_catalogue(identity):
    token = identity.login("demo", "unscoped").json["token"]
    assert not {"roles", "catalog", "project"} & set(token)


def test_without_a_scope_the_default_project_is_taken(identity):
    assert identity.login("demo").json["token"]["project"]["name"] == "demo"


def test_a_token_buys_another_scope_but_no_more_time(identity):
    first = identity.login("admin", "unscoped")
    auth = {"identity": {"methods": ["token"], "token": {"id": first.headers["X-Subject-Token"]}}, "scope": SYSTEM}
    second = identity.request("POST", "/v3/auth/tokens", {"auth": auth})
    assert second.status_int == 201
    assert second.json["token"]["expires_at"] == first.json["token"]["expires_at"]
    assert second.json["token"]["methods"] == ["password", "token"]
    assert second.json["token"]["audit_ids"][1] == first.json["token"]["audit_ids"][0]


def test_a_service_validates_anybodys_token(identity):
    demo = identity.token("demo", DEMO)
    answer = subject(identity, demo, asker=identity.token("nova"))
    assert answer.status_int == 200 and answer.json["token"]["user"]["name"] == "demo"
    assert answer.headers["X-Subject-Token"] == demo


def test_a_user_validates_only_own_tokens(identity):
    demo, admin = identity.token("demo", DEMO), identity.token("admin")
    assert subject(identity, demo).status_int == 200
    assert subject(identity, admin, asker=demo).status_int == 403


def test_head_checks_without_a_body(identity):
    answer = subject(identity, identity.token("demo"), method="HEAD")
    assert answer.status_int == 200 and answer.body == b""


def test_a_revoked_token_is_dead_also_after_a_restart(identity, conf):
    token = identity.token("demo", DEMO)
    assert subject(identity, token, method="DELETE").status_int == 204
    assert identity.request("GET", "/v3/auth/projects", token=token).status_int == 401
    identity.app = make_app(conf)
    assert identity.request("GET", "/v3/auth/projects", token=token).status_int == 401
    events = identity.get("/v3/OS-REVOKE/events", token=identity.token("admin"))["events"]
    assert len(events) == 1


def test_tokens_outlive_a_restart(identity, conf):
    token = identity.token("demo", DEMO)
    identity.app = make_app(conf)
    assert subject(identity, token).status_int == 200


def test_an_expired_token_is_refused_but_a_service_may_still_read_it(identity, monkeypatch):
    token, early = identity.token("demo", DEMO), clock.utcnow()
    monkeypatch.setattr(clock, "utcnow", lambda: early + datetime.timedelta(hours=13))
    nova = identity.token("nova")
    assert identity.request("GET", "/v3/auth/projects", token=token).status_int == 401
    assert subject(identity, token, asker=nova).status_int == 404
    assert subject(identity, token, asker=nova, query="?allow_expired=1").status_int == 200


def test_a_disabled_user_loses_the_token_at_once(identity):
    token = identity.token("demo", DEMO)
    path = identity.directory / "users.json"
    content = json.loads(path.read_text())
    next(user for user in content["users"] if user["name"] == "demo")["enabled"] = False
    path.write_text(json.dumps(content))
    assert identity.request("GET", "/v3/auth/projects", token=token).status_int == 401
    assert identity.login("demo", DEMO).status_int == 401


@pytest.mark.parametrize(
    "mangle", [lambda t: t[:-1], lambda t: t + "A", lambda t: "x" + t, lambda t: t * 40, lambda t: ""]
)
def test_a_garbled_token_is_401_for_the_asker_and_404_as_subject(identity, mangle):
    good, bad = identity.token("nova"), mangle(identity.token("demo"))
    answer = identity.request("GET", "/v3/auth/projects", token=bad)
    assert answer.status_int == 401
    assert answer.headers["WWW-Authenticate"] == 'Keystone uri="http://127.0.0.1:5000/v3"'
    assert answer.json == {
        "error": {
            "code": 401,
            "message": "The request you have made requires authentication.",
            "title": "Unauthorized",
        }
    }
    assert subject(identity, bad, asker=good).status_int == 404


@pytest.mark.parametrize(
    ("name", "password", "scope"),
    [
        ("demo", "wrong", None),
        ("nobody", "wrong", None),
        ("demo", None, {"project": {"name": "admin", "domain": {"id": "default"}}}),
        ("demo", None, {"project": {"id": "nonsense"}}),
        ("demo", None, SYSTEM),
        ("demo", None, {"domain": {"id": "default"}}),
    ],
)
def test_wrong_password_and_wrong_scope_look_the_same(identity, name, password, scope):
    answer = identity.login(name, scope, password or identity.passwords[name])
    assert answer.status_int == 401 and answer.json["error"]["title"] == "Unauthorized"


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b"[]", b"null", b'{"auth": NaN}', b'{"auth": 1e999}', b'{"a": "\\ud800"}', b"\xff",
        b'{"auth": {}, "auth": {}}', b"[" * 60000, {"auth": {}}, {"auth": {"identity": []}},
        {"auth": {"identity": {"methods": []}}}, {"auth": {"identity": {"methods": ["password"]}}},
        {"auth": {"identity": {"methods": ["password"], "password": {"user": {"name": "demo", "password": "x"}}}}},
        {"auth": {"identity": {"methods": ["password"], "password": {"user": {"id": 1, "password": "x"}}}}},
        {"auth": {"identity": {"methods": ["token"], "token": {"id": "x"}}, "scope": {"project": {}}}},
        {"auth": {"identity": {"methods": ["token"], "token": {"id": "x"}}, "scope": {"trust": {"id": "x"}}}},
    ],
)  # fmt: skip
def test_a_malformed_login_is_400(identity, body):
    answer = identity.request("POST", "/v3/auth/tokens", body)
    assert answer.status_int == 400 and answer.json["error"]["code"] == 400


def test_an_unknown_method_is_401(identity):
    body = {"auth": {"identity": {"methods": ["saml2"], "saml2": {}}}}
    assert identity.request("POST", "/v3/auth/tokens", body).status_int == 401


def test_a_huge_body_is_413_unread(identity):
    assert identity.request("POST", "/v3/auth/tokens", b" " * 70000).status_int == 413


def test_a_body_without_its_content_type_is_400(identity):
    answer = identity.request("POST", "/v3/auth/tokens", b"{}", Content_Type="text/plain")
    assert answer.status_int == 400


def test_guessing_is_slowed_down_for_that_user_only(identity):
    answers = [identity.login("demo", password=f"guess {i}").status_int for i in range(22)]
    assert answers == [401] * 20 + [429] * 2
    refused = identity.login("demo")
    assert refused.status_int == 429 and 0 < int(refused.headers["Retry-After"]) <= 61
    assert identity.login("admin").status_int == 201
