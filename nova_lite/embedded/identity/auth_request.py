"""The body of POST /v3/auth/tokens, understood or refused."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from nova_lite import exception


@dataclass(frozen=True)
class Name:
    """Something named by id, or by name within a domain that is itself named by id or name."""

    id: str | None = None
    name: str | None = None
    domain_id: str | None = None
    domain_name: str | None = None


@dataclass(frozen=True)
class Wanted:
    """The scope asked for: project, domain, system, unscoped, or default (nothing was said)."""

    kind: str = "default"
    name: Name = Name()


@dataclass(frozen=True)
class AuthRequest:
    """``user`` and ``password`` of the password method, ``token`` of the token method; either may be None."""

    methods: tuple[str, ...]
    user: Name | None = None
    password: str = field(default="", repr=False)
    token: str | None = field(default=None, repr=False)
    scope: Wanted = Wanted()


def parse(body: Any) -> AuthRequest:
    """Read the body.

    :raises Invalid: a key is missing or of the wrong type.
    :raises Unauthorized: a method that this service does not offer.
    """
    auth = _object(body, "auth", "request body")
    identity = _object(auth, "identity", "auth")
    methods = identity.get("methods")
    if not isinstance(methods, list) or not methods or not all(isinstance(each, str) for each in methods):
        raise _missing("methods", "identity")
    unknown = set(methods) - {"password", "token"}
    if unknown:
        raise exception.Unauthorized()
    user, password, token = None, "", None
    if "password" in methods:
        row = _object(_object(identity, "password", "identity"), "user", "password")
        user, password = _name(row, "user"), _text(row, "password", "user")
    if "token" in methods:
        token = _text(_object(identity, "token", "identity"), "id", "token")
    return AuthRequest(tuple(dict.fromkeys(methods)), user, password, token, _scope(auth))


def _scope(auth: dict[str, Any]) -> Wanted:
    scope = auth.get("scope")
    if scope is None:
        return Wanted()
    if scope == "unscoped" or (isinstance(scope, dict) and "unscoped" in scope):
        return Wanted("unscoped")
    if not isinstance(scope, dict) or len(scope) != 1:
        raise exception.Invalid("The scope must be exactly one of 'project', 'domain', 'system' and 'unscoped'")
    if "project" in scope:
        return Wanted("project", _name(_object(scope, "project", "scope"), "project"))
    if "domain" in scope:
        return Wanted("domain", _domain(_object(scope, "domain", "scope")))
    if "system" in scope:
        if _object(scope, "system", "scope").get("all") is not True:
            raise _missing("all", "system")
        return Wanted("system")
    raise exception.Invalid(f"This identity service has no scope {next(iter(scope))!r:.80}")


def _name(row: dict[str, Any], target: str) -> Name:
    if "id" in row:
        return Name(id=_text(row, "id", target))
    name = _text(row, "name", target)
    domain = _domain(_object(row, "domain", target))
    return Name(name=name, domain_id=domain.id, domain_name=domain.name)


def _domain(row: dict[str, Any]) -> Name:
    if "id" in row:
        return Name(id=_text(row, "id", "domain"))
    return Name(name=_text(row, "name", "domain"))


def _object(row: Any, key: str, target: str) -> dict[str, Any]:
    value = row.get(key) if isinstance(row, dict) else None
    if not isinstance(value, dict):
        raise _missing(key, target)
    return value


def _text(row: dict[str, Any], key: str, target: str) -> str:
    value = row.get(key)
    if not isinstance(value, str) or not value:
        raise _missing(key, target)
    return value


def _missing(key: str, target: str) -> exception.Invalid:
    return exception.Invalid(
        f"Expecting to find {key} in {target}. The server could not comply with the request since it is either "
        "malformed or otherwise incorrect. The client is assumed to be in error."
    )
