"""Who asks the identity service, and what they may see: Keystone's default rules for reading."""

from __future__ import annotations

from dataclasses import dataclass

import webob

from nova_lite import exception
from nova_lite.embedded.identity.authentication import Authenticator
from nova_lite.embedded.identity.directory import Directory
from nova_lite.embedded.identity.tokens import Token


@dataclass(frozen=True)
class Caller:
    token: Token
    directory: Directory
    roles: frozenset[str]

    @property
    def is_admin(self) -> bool:
        return "admin" in self.roles

    @property
    def may_read_all(self) -> bool:
        return self.is_admin or (self.token.scope.system and "reader" in self.roles)

    @property
    def may_validate(self) -> bool:
        """Whether the caller may look at other people's tokens."""
        return self.may_read_all or "service" in self.roles

    def require(self, allowed: bool, rule: str) -> None:
        """:raises Forbidden: not allowed; the message names the rule."""
        if not allowed:
            raise exception.Forbidden(f"You are not authorized to perform the requested action: identity:{rule}.")


def authenticate(req: webob.Request, authenticator: Authenticator) -> Caller:
    """The owner of X-Auth-Token.

    :raises Unauthorized: no token, or not a valid one.
    """
    token = authenticator.check(req.headers.get("X-Auth-Token"))
    directory = authenticator.users.current()
    target = token.scope.target
    roles = directory.roles_on(token.user_id, target) if target else ()
    return Caller(token, directory, frozenset(role.name for role in roles))
