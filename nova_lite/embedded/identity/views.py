"""The identity service's nouns as Keystone v3 shows them."""

from __future__ import annotations

import datetime
from typing import Any

from nova_lite.embedded.identity.directory import Assignment, Directory, Domain, Project, Role, User
from nova_lite.embedded.identity.tokens import Token


def moment(value: datetime.datetime) -> str:
    return value.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _reference(noun: Domain | Project | Role | User) -> dict[str, str]:
    return {"id": noun.id, "name": noun.name}


def _with_domain(noun: Project | User, directory: Directory) -> dict[str, Any]:
    return {**_reference(noun), "domain": _reference(directory.domains[noun.domain_id])}


def token(value: Token, directory: Directory, catalog: list[dict[str, Any]] | None) -> dict[str, Any]:
    """A token's body; ``catalog`` None leaves the key out, as ?nocatalog asks."""
    user, scope = directory.users[value.user_id], value.scope
    body: dict[str, Any] = {
        "methods": list(value.methods),
        "user": {**_with_domain(user, directory), "password_expires_at": None},
        "audit_ids": list(value.audit_ids),
        "issued_at": moment(value.issued_at),
        "expires_at": moment(value.expires_at),
    }
    if scope.target is None:
        return {"token": body}
    if scope.project_id is not None:
        body["project"] = _with_domain(directory.projects[scope.project_id], directory)
        body["is_domain"] = False
    elif scope.domain_id is not None:
        body["domain"] = _reference(directory.domains[scope.domain_id])
    else:
        body["system"] = {"all": True}
    body["roles"] = [_reference(role) for role in directory.roles_on(user.id, scope.target)]
    if catalog is not None:
        body["catalog"] = catalog
    return {"token": body}


def domain(value: Domain) -> dict[str, Any]:
    return {
        **_reference(value),
        "description": value.description,
        "enabled": value.enabled,
        "tags": [],
        "options": {},
    }


def project(value: Project) -> dict[str, Any]:
    return {
        **_reference(value),
        "domain_id": value.domain_id,
        "description": value.description,
        "enabled": value.enabled,
        "is_domain": False,
        "parent_id": value.domain_id,
        "tags": [],
        "options": {},
    }


def role(value: Role) -> dict[str, Any]:
    return {**_reference(value), "domain_id": None, "description": value.description or None, "options": {}}


def user(value: User) -> dict[str, Any]:
    return {
        **_reference(value),
        "domain_id": value.domain_id,
        "default_project_id": value.default_project_id,
        "description": value.description,
        "email": value.email,
        "enabled": value.enabled,
        "password_expires_at": None,
        "options": {},
    }


def assignment(value: Assignment, directory: Directory, with_names: bool, base: str) -> dict[str, Any]:
    """One row of /v3/role_assignments; ``base`` is the service's URL."""
    owner = directory.users[value.user_id]
    granted = directory.roles[value.role_id]
    kind, ident = value.target
    scope: dict[str, Any] = {"system": {"all": True}} if kind == "system" else {kind: {"id": ident}}
    if with_names and kind == "project":
        scope = {kind: _with_domain(directory.projects[ident], directory)}
    elif with_names and kind == "domain":
        scope = {kind: _reference(directory.domains[ident])}
    place = kind if kind == "system" else f"{kind}s/{ident}"
    return {
        "role": _reference(granted) if with_names else {"id": granted.id},
        "user": _with_domain(owner, directory) if with_names else {"id": owner.id},
        "scope": scope,
        "links": {"assignment": f"{base}/{place}/users/{owner.id}/roles/{granted.id}"},
    }
