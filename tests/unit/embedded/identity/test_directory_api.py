"""What may be read, by whom."""

from __future__ import annotations

import pytest

COLLECTIONS = ("projects", "domains", "users", "roles", "groups", "services", "endpoints", "regions")


def ident(identity, collection, name, token):
    rows = identity.get(f"/v3/{collection}?name={name}", token=token)[collection]
    assert len(rows) == 1
    return rows[0]["id"]


@pytest.fixture
def admin(identity):
    return identity.token("admin")


@pytest.fixture
def demo(identity):
    return identity.token("demo")


@pytest.mark.parametrize("collection", COLLECTIONS)
def test_admin_lists_and_shows_everything(identity, admin, collection):
    body = identity.get(f"/v3/{collection}", token=admin)
    assert set(body) == {collection, "links"} and set(body["links"]) == {"self", "next", "previous"}
    for row in body[collection]:
        shown = identity.get(f"/v3/{collection}/{row['id']}", token=admin)
        assert list(shown.values()) == [row] and row["links"]["self"].endswith(row["id"])


def test_names_without_case_and_flags_filter(identity, admin):
    assert [row["name"] for row in identity.get("/v3/users?name=DEMO", token=admin)["users"]] == ["demo"]
    assert identity.get("/v3/users?name=nobody", token=admin)["users"] == []
    assert identity.get("/v3/projects?enabled=false", token=admin)["projects"] == []
    assert len(identity.get("/v3/projects?enabled=1&unknown=x", token=admin)["projects"]) == 3


@pytest.mark.parametrize("collection", [each for each in COLLECTIONS if each != "regions"])
def test_an_ordinary_user_may_not_list(identity, demo, collection):
    answer = identity.request("GET", f"/v3/{collection}", token=demo)
    assert answer.status_int == 403
    message = answer.json["error"]["message"]
    assert message == f"You are not authorized to perform the requested action: identity:list_{collection}."


def test_an_ordinary_user_sees_own_user_project_and_domain_only(identity, admin, demo):
    own = [f"users/{ident(identity, 'users', 'demo', admin)}", f"projects/{ident(identity, 'projects', 'demo', admin)}"]
    foreign = [f"users/{ident(identity, 'users', 'admin', admin)}"]
    foreign += [f"projects/{ident(identity, 'projects', 'admin', admin)}", "projects/nonsense"]
    for path in [*own, "domains/default", "regions/RegionOne", own[0] + "/projects"]:
        assert identity.request("GET", f"/v3/{path}", token=demo).status_int == 200
    for path in [*foreign, foreign[0] + "/projects"]:
        assert identity.request("GET", f"/v3/{path}", token=demo).status_int == 403


def test_no_answer_shows_a_password(identity, admin):
    text = identity.request("GET", "/v3/users", token=admin).text
    assert "scrypt" not in text and "password_hash" not in text


def test_auth_projects_are_those_with_a_role(identity, demo, admin):
    assert [row["name"] for row in identity.get("/v3/auth/projects", token=demo)["projects"]] == ["demo"]
    assert [row["id"] for row in identity.get("/v3/auth/domains", token=admin)["domains"]] == ["default"]
    assert identity.get("/v3/auth/domains", token=demo)["domains"] == []
    assert identity.get("/v3/auth/system", token=admin)["system"] == [{"all": True}]
    assert len(identity.get("/v3/auth/catalog", token=demo)["catalog"]) == 5


def test_role_assignments_by_user_scope_and_name(identity, admin):
    rows = identity.get("/v3/role_assignments", token=admin)["role_assignments"]
    assert len(rows) == 7
    user = ident(identity, "users", "demo", admin)
    found = identity.get(f"/v3/role_assignments?user.id={user}&include_names=true", token=admin)["role_assignments"]
    assert {row["role"]["name"] for row in found} == {"member", "reader"}
    assert all(row["scope"]["project"]["name"] == "demo" for row in found)
    system = identity.get("/v3/role_assignments?scope.system=all", token=admin)["role_assignments"]
    assert [row["scope"] for row in system] == [{"system": {"all": True}}]


def test_an_unscoped_token_reads_no_collections(identity):
    token = identity.token("admin", "unscoped")
    assert identity.request("GET", "/v3/users", token=token).status_int == 403
    assert identity.request("GET", "/v3/auth/projects", token=token).status_int == 200


@pytest.mark.parametrize(
    "path", ["/v2.0", "/v3/nothing", "/v3/users/../../etc/passwd", "/v3/users/%2e%2e%2fx/y", "//v3"]
)
def test_unknown_paths_are_404(identity, admin, path):
    assert identity.request("GET", path, token=admin).status_int == 404


def test_discovery_needs_no_token(identity):
    root = identity.request("GET", "/")
    assert root.status_int == 300
    version = root.json["versions"]["values"][0]
    assert version["links"][0]["href"] == "http://127.0.0.1:5000/v3/" and version["status"] == "stable"
    for path in ("/v3", "/v3/"):
        assert identity.get(path) == {"version": version}


def test_each_answer_has_a_request_id_and_no_framework_headers(identity):
    answer = identity.request("GET", "/v3/nothing")
    assert answer.headers["x-openstack-request-id"].startswith("req-")
    assert answer.headers["Vary"] == "X-Auth-Token"
