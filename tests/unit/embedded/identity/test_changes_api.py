"""Projects, users and roles are made, changed and taken away over the API; the users' file keeps them."""

from __future__ import annotations

import json

import pytest

from nova_lite.embedded.identity.wsgi import make_app


@pytest.fixture
def admin(identity):
    return identity.token("admin")


def make(identity, token, kind, **values):
    answer = identity.request("POST", f"/v3/{kind}s", {kind: values}, token=token)
    assert answer.status_int == 201, answer.text
    return answer.json[kind]


def role(identity, token, name):
    return identity.get(f"/v3/roles?name={name}", token=token)["roles"][0]["id"]


@pytest.fixture
def jo(identity, admin):
    """A user and a project that have nothing to do with each other yet."""
    project = make(identity, admin, "project", name="new", description="of Jo", domain_id="default")
    user = make(identity, admin, "user", name="jo", password="secret", email="jo@example.org")
    return user, project


def scope(project):
    return {"project": {"id": project["id"]}}


def test_a_user_with_a_role_logs_in_and_one_without_does_not(identity, admin, jo):
    user, project = jo
    assert (project["name"], project["description"], project["enabled"]) == ("new", "of Jo", True)
    assert user["email"] == "jo@example.org" and "password" not in user and "password_hash" not in user
    assert identity.get(f"/v3/users/{user['id']}", token=admin)["user"] == user
    assert identity.login("jo", scope(project), "secret").status_int == 401
    path = f"/v3/projects/{project['id']}/users/{user['id']}/roles"
    member = f"{path}/{role(identity, admin, 'member')}"
    assert identity.request("HEAD", member, token=admin).status_int == 404
    for _ in range(2):
        assert identity.request("PUT", member, token=admin).status_int == 204
    assert identity.request("HEAD", member, token=admin).status_int == 204
    assert [each["name"] for each in identity.get(path, token=admin)["roles"]] == ["member"]
    login = identity.login("jo", scope(project), "secret")
    assert [each["name"] for each in login.json["token"]["roles"]] == ["member", "reader"]
    assert identity.request("DELETE", member, token=admin).status_int == 204
    assert identity.request("DELETE", member, token=admin).status_int == 404
    assert identity.request("GET", "/v3/auth/projects", token=login.headers["X-Subject-Token"]).status_int == 401


def test_roles_on_the_system_and_on_domains(identity, admin, jo):
    user, _ = jo
    reader = role(identity, admin, "reader")
    for place, wanted in (("system", {"system": {"all": True}}), ("domains/default", {"domain": {"id": "default"}})):
        path = f"/v3/{place}/users/{user['id']}/roles/{reader}"
        assert identity.request("PUT", path, token=admin).status_int == 204
        assert identity.login("jo", wanted, "secret").status_int == 201
        assert identity.request("DELETE", path, token=admin).status_int == 204


def test_changes_are_kept(identity, admin, jo, conf):
    user, project = jo
    path = f"/v3/users/{user['id']}"
    changed = identity.request("PATCH", path, {"user": {"password": "other", "enabled": False}}, token=admin)
    assert changed.status_int == 200 and changed.json["user"]["enabled"] is False
    assert identity.login("jo", None, "other").status_int == 401
    assert identity.request("PATCH", path, {"user": {"enabled": True}}, token=admin).status_int == 200
    identity.app = make_app(conf)
    assert identity.login("jo", None, "secret").status_int == 401
    assert identity.login("jo", None, "other").status_int == 201
    stored = (identity.directory / "users.json").read_text()
    assert '"other"' not in stored and '"secret"' not in stored


def test_keys_that_mean_nothing_here_are_dropped(identity, admin):
    user = make(identity, admin, "user", name="jo", project_id="p", nickname="j")
    assert not {"project_id", "nickname"} & set(user)


def test_removing_takes_the_roles_along(identity, admin, jo):
    user, project = jo
    member = role(identity, admin, "member")
    identity.request("PUT", f"/v3/projects/{project['id']}/users/{user['id']}/roles/{member}", token=admin)
    assert identity.request("DELETE", f"/v3/projects/{project['id']}", token=admin).status_int == 204
    assert identity.request("DELETE", f"/v3/projects/{project['id']}", token=admin).status_int == 404
    found = identity.get(f"/v3/role_assignments?user.id={user['id']}", token=admin)["role_assignments"]
    assert found == []
    assert identity.request("DELETE", f"/v3/users/{user['id']}", token=admin).status_int == 204
    assert identity.login("jo", None, "secret").status_int == 401


def test_a_project_named_in_the_file_by_name_is_the_same(identity, admin):
    """Hand-written grants say "demo", those of the API its id."""
    projects = {row["name"]: row["id"] for row in identity.get("/v3/projects", token=admin)["projects"]}
    users = {row["name"]: row["id"] for row in identity.get("/v3/users", token=admin)["users"]}
    path = f"/v3/projects/{projects['demo']}/users/{users['demo']}/roles/{role(identity, admin, 'reader')}"
    assert identity.request("PUT", path, token=admin).status_int == 204
    grants = next(
        row for row in json.loads((identity.directory / "users.json").read_text())["users"] if row["name"] == "demo"
    )["roles"]
    assert len(grants) == 2
    assert identity.request("DELETE", path, token=admin).status_int == 204
    assert identity.request("HEAD", path, token=admin).status_int == 404


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 400),
        ([], 400),
        ({"user": {"password": "x"}}, 400),
        ({"user": {"name": 5}}, 400),
        ({"user": {"name": "  "}}, 400),
        ({"user": {"name": "x", "email": 1}}, 400),
        ({"user": {"name": "x", "domain_id": "nowhere"}}, 400),
        ({"user": {"name": "DEMO"}}, 409),
        (b"{", 400),
    ],
)
def test_what_is_refused(identity, admin, body, status):
    before = (identity.directory / "users.json").read_bytes()
    assert identity.request("POST", "/v3/users", body, token=admin).status_int == status
    assert (identity.directory / "users.json").read_bytes() == before


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "users"), ("PATCH", "users/x"), ("DELETE", "projects/x"), ("PUT", "system/users/x/roles/y")],
)
def test_only_administrators_change_anything(identity, method, path):
    body = {"user": {"name": "x"}} if method in ("POST", "PATCH") else None
    assert identity.request(method, f"/v3/{path}", body, token=identity.token("demo")).status_int == 403
    assert identity.request(method, f"/v3/{path}", body).status_int == 401


@pytest.mark.parametrize("method", ["POST", "PATCH", "PUT", "DELETE"])
def test_what_only_the_file_says_is_405(identity, admin, method):
    path = "/v3/roles" if method == "POST" else "/v3/roles/x"
    answer = identity.request(method, path, {} if method != "DELETE" else None, token=admin)
    assert answer.status_int == 405 and answer.headers["Allow"] == "GET"


def test_a_file_that_is_being_edited_is_left_alone(identity, admin):
    path = identity.directory / "users.json"
    path.write_text("{")
    assert identity.request("POST", "/v3/users", {"user": {"name": "x"}}, token=admin).status_int == 503
    assert path.read_text() == "{"
