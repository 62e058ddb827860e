"""Who may do what in the network service: Neutron's default rules."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import webob

from nova_lite import exception
from nova_lite.embedded.network import faults
from nova_lite.embedded.network.nouns import Noun


@dataclass(frozen=True)
class Caller:
    """Whoever the token in front of the application proved."""

    project_id: str
    roles: frozenset[str]

    @property
    def is_admin(self) -> bool:
        return "admin" in self.roles

    @property
    def is_trusted(self) -> bool:
        """An administrator, or a service that acts for others."""
        return self.is_admin or "service" in self.roles

    def owns(self, record: dict[str, Any]) -> bool:
        return self.is_trusted or (bool(self.project_id) and record["project_id"] == self.project_id)

    def require_write(self, verb: str, noun: Noun) -> None:
        """:raises Denied: a reader changes nothing."""
        if not (self.is_trusted or self.roles & {"member", "manager"}):
            raise faults.denied(f"{verb}_{noun.name}")


def caller(req: webob.Request) -> Caller:
    """Who asks, as the token check found out.

    :raises Unauthorized: there was no token, or no token check: its headers alone prove nothing.
    """
    environ = req.environ
    if environ.get("HTTP_X_IDENTITY_STATUS") != "Confirmed" or environ.get("keystone.token_auth") is None:
        raise exception.Unauthorized()
    roles = frozenset(role.strip().lower() for role in environ.get("HTTP_X_ROLES", "").split(",") if role.strip())
    if not roles:
        raise exception.Forbidden("The token has no role on any project.")
    return Caller(environ.get("HTTP_X_PROJECT_ID") or "", roles)


def check_fields(who: Caller, noun: Noun, verb: str, given: dict[str, Any]) -> None:
    """:raises Denied: an attribute that only administrators may write."""
    for name in given:
        field = noun.fields.get(name)
        if field is not None and field.admin and not who.is_trusted and given[name] not in (None, False, ""):
            raise faults.denied(f"{verb}_{noun.name}:{name}")


def hidden(who: Caller, noun: Noun) -> frozenset[str]:
    """Attributes that this caller does not see."""
    if who.is_trusted:
        return frozenset()
    return frozenset(name for name, field in noun.fields.items() if field.secret)
