"""The users' file: what is refused, and that an edit is seen."""

from __future__ import annotations

import json

import pytest

from nova_lite import exception
from nova_lite.embedded.identity import bootstrap, users_file


@pytest.fixture
def state(tmp_path):
    return bootstrap.prepare(tmp_path / "identity")


def content(**changes):
    user = {"id": "u", "name": "jo", "password": "secret", "roles": [{"role": "member", "project": "p1"}]}
    rows = {
        "domains": [{"id": "default", "name": "Default"}],
        "projects": [{"id": "p", "name": "p1"}],
        "roles": [{"id": "m", "name": "member"}, {"id": "r", "name": "reader"}],
        "users": [user | changes.pop("user", {})],
    }
    return json.dumps(rows | changes)


def test_roles_are_found_by_name_or_id_and_bring_those_they_imply():
    directory = users_file.parse(content())
    assert [role.name for role in directory.roles_on("u", ("project", "p"))] == ["member", "reader"]
    by_id = users_file.parse(content(user={"roles": [{"role": "m", "project": "p"}]}))
    assert by_id.assignments == directory.assignments


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[]", "object"),
        ("{", "Expecting"),
        (content(domains=None), "'domains' must be a list"),
        (content(projects=[{"id": "p"}]), "needs an 'id' and a 'name'"),
        (content(projects=[{"id": "p", "name": 1}]), "'name' of 1 must be of type str"),
        (content(projects=[{"id": "p", "name": "p1", "domain_id": "x"}]), "no domain with the id 'x'"),
        (content(projects=[{"id": "p", "name": "p1"}, {"id": "q", "name": "P1"}]), "there twice"),
        (content(user={"roles": [{"role": "boss", "project": "p"}]}), "unknown role: 'boss'"),
        (content(user={"roles": [{"role": "member", "project": "q"}]}), "unknown project: 'q'"),
        (content(user={"roles": [{"role": "member"}]}), "needs one of"),
        (content(user={"password": ""}), "must be text"),
    ],
)
def test_a_mistake_is_named(text, reason):
    with pytest.raises(ValueError, match=reason):
        users_file.parse(text)


def test_an_unreadable_file_stops_the_start(state):
    state.users.write_text("{")
    with pytest.raises(exception.ConfigInvalid, match="users.json is unusable"):
        users_file.UsersFile(state.users)


def test_an_edit_is_seen_and_a_broken_edit_is_not(state):
    watched = users_file.UsersFile(state.users)
    edited = json.loads(state.users.read_text())
    edited["projects"].append({"id": "new", "name": "new"})
    state.users.write_text(json.dumps(edited))
    assert "new" in watched.current().projects
    state.users.write_text("{")
    assert "new" in watched.current().projects
    state.users.unlink()
    assert "new" in watched.current().projects


def test_the_first_start_makes_private_files_and_the_second_keeps_them(state):
    before = {path.name: path.read_bytes() for path in state.directory.iterdir()}
    assert set(before) == {"users.json", "credentials.json", "token.key"}
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in state.directory.iterdir())
    assert state.directory.stat().st_mode & 0o777 == 0o700
    again = bootstrap.prepare(state.directory)
    assert again.passwords == state.passwords and len(set(state.passwords.values())) == 3
    assert {path.name: path.read_bytes() for path in state.directory.iterdir()} == before
    assert not any(password in before["users.json"].decode() for password in state.passwords.values())


@pytest.mark.parametrize(
    ("name", "text"), [("token.key", "short"), ("credentials.json", "{"), ("credentials.json", "[]")]
)
def test_a_broken_state_file_is_named(state, name, text):
    (state.directory / name).write_text(text)
    with pytest.raises(exception.ConfigInvalid, match=name):
        bootstrap.prepare(state.directory)
