"""Projects, users and their roles, to write: enough of Keystone v3 for clients and tests that make their own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import webob

from nova_lite import exception
from nova_lite.embedded import bodies
from nova_lite.embedded.identity import caller, changes, passwords, views
from nova_lite.embedded.identity.authentication import Authenticator
from nova_lite.embedded.identity.directory import Directory
from nova_lite.embedded.wsgi import Route, empty_response, json_response

BODY_LIMIT = 64 * 1024

# What a body may set, by kind, and of which type.
_FIELDS: dict[str, dict[str, tuple[type, ...]]] = {
    "project": {"name": (str,), "domain_id": (str,), "description": (str,), "enabled": (bool,)},
    "user": {
        "name": (str,), "domain_id": (str,), "description": (str,), "enabled": (bool,), "password": (str,),
        "email": (str, type(None)), "default_project_id": (str, type(None)),
    },
}  # fmt: skip
_SHOWN: dict[str, Callable[[Directory, str], dict[str, Any]]] = {
    "project": lambda directory, ident: views.project(directory.projects[ident]),
    "user": lambda directory, ident: views.user(directory.users[ident]),
}


class ChangesApi:
    """:param url: the service's own v3 URL."""

    def __init__(self, authenticator: Authenticator, url: str) -> None:
        self._authenticator = authenticator
        self._users = authenticator.users
        self._url = url

    def routes(self) -> list[Route]:
        table = []
        for kind in _FIELDS:
            table += [
                Route("POST", f"/v3/{kind}s", self._creator(kind)),
                Route("PATCH", f"/v3/{kind}s/{{ident}}", self._updater(kind)),
                Route("DELETE", f"/v3/{kind}s/{{ident}}", self._remover(kind)),
            ]
        for place in ("/v3/projects/{project}", "/v3/domains/{domain}", "/v3/system"):
            roles = f"{place}/users/{{user}}/roles"
            table.append(Route("GET", roles, self.list_grants))
            for method in ("PUT", "HEAD", "GET", "DELETE"):
                table.append(Route(method, f"{roles}/{{role}}", self._granter(method)))
        return table

    def _require_admin(self, req: webob.Request, rule: str) -> None:
        asker = caller.authenticate(req, self._authenticator)
        asker.require(asker.is_admin, rule)

    def _shown(self, kind: str, directory: Directory, ident: str, status: int = 200) -> webob.Response:
        row = _SHOWN[kind](directory, ident)
        return json_response({kind: {**row, "links": {"self": f"{self._url}/{kind}s/{ident}"}}}, status)

    def _creator(self, kind: str) -> Callable[[webob.Request], webob.Response]:
        def create(req: webob.Request) -> webob.Response:
            self._require_admin(req, f"create_{kind}")
            row = {"domain_id": "default", **_values(req, kind)}
            if not row.get("name"):
                raise exception.Invalid(f"Invalid input for field '{kind}': 'name' is a required property")
            if kind == "user":
                # Who is made without a password cannot log in.
                row.setdefault("password_hash", passwords.NOBODY)
            made: list[str] = []
            directory = self._users.change(lambda content: made.append(changes.add(content, kind, row)))
            return self._shown(kind, directory, made[0], 201)

        return create

    def _updater(self, kind: str) -> Callable[..., webob.Response]:
        def update(req: webob.Request, ident: str) -> webob.Response:
            self._require_admin(req, f"update_{kind}")
            values = _values(req, kind)
            values.pop("domain_id", None)
            directory = self._users.change(lambda content: changes.update(content, kind, ident, values))
            return self._shown(kind, directory, ident)

        return update

    def _remover(self, kind: str) -> Callable[..., webob.Response]:
        def remove(req: webob.Request, ident: str) -> webob.Response:
            self._require_admin(req, f"delete_{kind}")
            self._users.change(lambda content: changes.remove(content, kind, ident))
            return empty_response()

        return remove

    def list_grants(self, req: webob.Request, user: str, **place: str) -> webob.Response:
        """The user's own roles there, without those they imply."""
        self._require_admin(req, "list_grants")
        directory = self._users.current()
        target = _target(place)
        granted = [each.role_id for each in directory.assignments if (each.user_id, each.target) == (user, target)]
        rows = [
            {**views.role(directory.roles[ident]), "links": {"self": f"{self._url}/roles/{ident}"}} for ident in granted
        ]
        return json_response({"roles": rows, "links": {"self": self._url, "next": None, "previous": None}})

    def _granter(self, method: str) -> Callable[..., webob.Response]:
        rule = {"PUT": "create_grant", "DELETE": "revoke_grant"}.get(method, "check_grant")

        def answer(req: webob.Request, user: str, role: str, **place: str) -> webob.Response:
            self._require_admin(req, rule)
            target = _target(place)
            if method == "PUT":
                self._users.change(lambda content: changes.grant(content, user, role, target))
            elif method == "DELETE":
                self._users.change(lambda content: changes.withdraw(content, user, role, target))
            elif not any(
                (each.user_id, each.role_id, each.target) == (user, role, target)
                for each in self._users.current().assignments
            ):
                raise exception.NotFound(f"Could not find role assignment with role: {role:.64}, user: {user:.64}.")
            return empty_response()

        return answer


def _target(place: dict[str, str]) -> tuple[str, str]:
    for kind, ident in place.items():
        return (kind, ident)
    return ("system", "all")


def _values(req: webob.Request, kind: str) -> dict[str, Any]:
    """What the body sets, its password as a hash.

    :raises Invalid: a wrong key or type.
    """
    body = bodies.read_json(req, BODY_LIMIT)
    given = body.get(kind) if isinstance(body, dict) else None
    if not isinstance(given, dict):
        raise exception.Invalid(f"Expecting to find {kind} in request body.")
    values: dict[str, Any] = {}
    for key, value in given.items():
        types = _FIELDS[kind].get(key)
        if types is None:
            continue  # Keystone takes any key (clients send parent_id, project_id, tags); these mean nothing here
        if not isinstance(value, types) or (isinstance(value, str) and len(value) > passwords.MAX_LENGTH):
            raise exception.Invalid(f"Invalid input for field '{key}'")
        values[key] = value
    if "name" in values and not 0 < len(values["name"].strip()) <= 255:
        raise exception.Invalid("Invalid input for field 'name'")
    if "password" in values:
        values["password_hash"] = passwords.hashed(values.pop("password"))
    return values
