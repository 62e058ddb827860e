"""Projects, users, roles, domains, assignments and the catalogue, to read; changes_api.py writes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import webob

from nova_lite import exception
from nova_lite.embedded.identity import caller, views
from nova_lite.embedded.identity.authentication import Authenticator
from nova_lite.embedded.identity.caller import Caller
from nova_lite.embedded.identity.catalog import Catalog
from nova_lite.embedded.identity.directory import Assignment, Directory
from nova_lite.embedded.wsgi import Route, json_response

Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class Collection:
    """``rows`` lists it; ``own`` says whether a row may be shown to a caller who may not read everything."""

    name: str
    singular: str
    rows: Callable[[Directory], Rows]
    own: Callable[[Caller, str], bool] = lambda asker, ident: False
    is_open: bool = False


def _own_project(asker: Caller, ident: str) -> bool:
    return any(project.id == ident for project in asker.directory.projects_of(asker.token.user_id))


def _own_domain(asker: Caller, ident: str) -> bool:
    user = asker.directory.users[asker.token.user_id]
    return ident == user.domain_id or any(each.id == ident for each in asker.directory.domains_of(user.id))


def _collections(catalog: Catalog) -> tuple[Collection, ...]:
    return (
        Collection("projects", "project", lambda d: [views.project(p) for p in d.projects.values()], _own_project),
        Collection("domains", "domain", lambda d: [views.domain(x) for x in d.domains.values()], _own_domain),
        Collection(
            "users",
            "user",
            lambda d: [views.user(user) for user in d.users.values()],
            lambda asker, ident: ident == asker.token.user_id,
        ),
        Collection("roles", "role", lambda d: [views.role(role) for role in d.roles.values()]),
        Collection("groups", "group", lambda d: []),
        Collection("services", "service", lambda d: catalog.services()),
        Collection("endpoints", "endpoint", lambda d: catalog.endpoints()),
        Collection("regions", "region", lambda d: catalog.regions(), is_open=True),
    )


class DirectoryApi:
    """:param url: the service's own v3 URL."""

    def __init__(self, authenticator: Authenticator, catalog: Catalog, url: str) -> None:
        self._authenticator = authenticator
        self._collections = _collections(catalog)
        self._url = url

    def routes(self) -> list[Route]:
        table = [
            Route("GET", "/v3/role_assignments", self.role_assignments),
            Route("GET", "/v3/users/{user_id}/projects", self.user_projects),
        ]
        for each in self._collections:
            table.append(Route("GET", f"/v3/{each.name}", self._lister(each)))
            table.append(Route("GET", f"/v3/{each.name}/{{ident}}", self._shower(each)))
        return table

    def _lister(self, collection: Collection) -> Callable[[webob.Request], webob.Response]:
        def index(req: webob.Request) -> webob.Response:
            asker = caller.authenticate(req, self._authenticator)
            asker.require(asker.may_read_all or collection.is_open, f"list_{collection.name}")
            rows = _filtered(collection.rows(asker.directory), req)
            return self._list(collection.name, rows, collection.name)

        return index

    def _shower(self, collection: Collection) -> Callable[..., webob.Response]:
        def show(req: webob.Request, ident: str) -> webob.Response:
            asker = caller.authenticate(req, self._authenticator)
            allowed = asker.may_read_all or collection.is_open or collection.own(asker, ident)
            asker.require(allowed, f"get_{collection.singular}")
            for row in collection.rows(asker.directory):
                if row["id"] == ident:
                    return json_response({collection.singular: self._linked(row, collection.name)})
            raise exception.NotFound(f"Could not find {collection.singular}: {ident:.64}.")

        return show

    def user_projects(self, req: webob.Request, user_id: str) -> webob.Response:
        asker = caller.authenticate(req, self._authenticator)
        asker.require(asker.may_read_all or user_id == asker.token.user_id, "list_user_projects")
        if user_id not in asker.directory.users:
            raise exception.NotFound(f"Could not find user: {user_id:.64}.")
        rows = [views.project(each) for each in asker.directory.projects_of(user_id)]
        return self._list("projects", _filtered(rows, req), f"users/{user_id}/projects")

    def role_assignments(self, req: webob.Request) -> webob.Response:
        asker = caller.authenticate(req, self._authenticator)
        asker.require(asker.may_read_all, "list_role_assignments")
        named = _flag(req, "include_names")
        found = [each for each in asker.directory.assignments if _assignment_wanted(each, req)]
        rows = [views.assignment(each, asker.directory, named, self._url) for each in found]
        links = {"self": f"{self._url}/role_assignments", "next": None, "previous": None}
        return json_response({"role_assignments": rows, "links": links})

    def _linked(self, row: dict[str, Any], path: str) -> dict[str, Any]:
        return {**row, "links": {"self": f"{self._url}/{path}/{row['id']}"}}

    def _list(self, name: str, rows: Rows, path: str) -> webob.Response:
        links = {"self": f"{self._url}/{path}", "next": None, "previous": None}
        return json_response({name: [self._linked(row, name) for row in rows], "links": links})


def _filtered(rows: Rows, req: webob.Request) -> Rows:
    """Rows whose attributes equal the query's; names without case, keys that no row has are ignored, as in Keystone."""
    for key, wanted in req.GET.items():
        if rows and key in rows[0]:
            rows = [row for row in rows if _equal(row[key], wanted)]
    return rows


def _equal(value: Any, wanted: str) -> bool:
    if isinstance(value, bool):
        return value == (wanted.lower() not in ("0", "false", "no"))
    return str(value if value is not None else "").lower() == wanted.lower()


def _flag(req: webob.Request, key: str) -> bool:
    return key in req.GET and req.GET[key].lower() not in ("0", "false", "no")


def _assignment_wanted(each: Assignment, req: webob.Request) -> bool:
    facts = {
        "user.id": each.user_id,
        "role.id": each.role_id,
        "scope.project.id": each.project_id,
        "scope.domain.id": each.domain_id,
        "scope.system": "all" if each.target[0] == "system" else None,
        "group.id": None,
    }
    return all(facts[key] == wanted for key, wanted in req.GET.items() if key in facts)
