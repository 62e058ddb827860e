"""From a login to a token, and from a token's text back to somebody who still may."""

from __future__ import annotations

import datetime

from nova_lite import clock, exception
from nova_lite.embedded.identity import passwords
from nova_lite.embedded.identity.auth_request import AuthRequest, Name, Wanted
from nova_lite.embedded.identity.directory import SYSTEM, Directory, Scope, User
from nova_lite.embedded.identity.revocations import Revocations
from nova_lite.embedded.identity.throttle import Throttle
from nova_lite.embedded.identity.tokens import BadToken, Signer, Token, new_audit_id
from nova_lite.embedded.identity.users_file import UsersFile

# How long an expired token may still be validated with allow_expired, which only services may ask (as in Keystone).
EXPIRED_WINDOW = datetime.timedelta(days=2)


class Authenticator:
    """Issues and checks tokens.

    :param lifetime_s: seconds a token lives; a rescoped token dies with the one it came from.
    """

    def __init__(
        self, users: UsersFile, signer: Signer, revocations: Revocations, throttle: Throttle, lifetime_s: int
    ) -> None:
        self.users = users
        self.revocations = revocations
        self._signer = signer
        self._throttle = throttle
        self._lifetime = datetime.timedelta(seconds=lifetime_s)

    def issue(self, request: AuthRequest) -> tuple[str, Token]:
        """The token's text, and the token.

        :raises Unauthorized: wrong password or token, or no role on what was asked for.
        :raises TooManyRequests: too many wrong passwords of late.
        """
        directory = self.users.current()
        origin = self.check(request.token) if request.token is not None else None
        user = self._login(directory, request.user, request.password) if request.user is not None else None
        if user is None:
            assert origin is not None
            user = directory.users[origin.user_id]
        elif origin is not None and origin.user_id != user.id:
            raise exception.Unauthorized()
        now = clock.utcnow()
        methods = tuple(dict.fromkeys((*(origin.methods if origin else ()), *request.methods)))
        token = Token(
            user_id=user.id,
            methods=methods,
            audit_ids=(new_audit_id(), *(origin.audit_ids[-1:] if origin else ())),
            issued_at=now,
            expires_at=origin.expires_at if origin else now + self._lifetime,
            scope=_scope(directory, user, request.scope),
        )
        return self._signer.sign(token), token

    def _login(self, directory: Directory, name: Name, password: str) -> User:
        key = f"id:{name.id}" if name.id else f"name:{name.name}"
        user = _find_user(directory, name)
        self._throttle.check(user.id if user else key)
        right = passwords.matches(password, user.password_hash if user else passwords.NOBODY)
        if user is None or not right or not directory.is_user_enabled(user.id):
            self._throttle.failed(user.id if user else key)
            raise exception.Unauthorized()
        self._throttle.succeeded(user.id)
        return user

    def check(self, text: str | None, allow_expired: bool = False) -> Token:
        """The token, proven to be ours, unexpired, unrevoked, of an enabled user who still has a role there.

        :raises Unauthorized: it is not.
        """
        try:
            token = self._signer.read(text or "")
        except BadToken:
            raise exception.Unauthorized() from None
        limit = token.expires_at + (EXPIRED_WINDOW if allow_expired else datetime.timedelta())
        directory = self.users.current()
        alive = limit > clock.utcnow() and token.audit_ids[0] not in self.revocations
        if not alive or not directory.is_user_enabled(token.user_id):
            raise exception.Unauthorized()
        target = token.scope.target
        if target is not None and not directory.roles_on(token.user_id, target):
            raise exception.Unauthorized()
        return token

    def revoke(self, token: Token) -> None:
        """Make the token invalid for good, on the disk before this returns."""
        self.revocations.add(token.audit_ids[0], token.expires_at)


def _find_user(directory: Directory, name: Name) -> User | None:
    if name.id is not None:
        return directory.users.get(name.id)
    domain = directory.domain(name.domain_id, name.domain_name)
    return directory.user_named(name.name or "", domain.id) if domain else None


def _scope(directory: Directory, user: User, wanted: Wanted) -> Scope:
    """The scope, where the user has a role on it.

    :raises Unauthorized: no such project or domain, or no role there; the answer does not tell which.
    """
    if wanted.kind == "unscoped":
        return Scope()
    if wanted.kind == "default":
        default = user.default_project_id
        usable = default is not None and directory.roles_on(user.id, ("project", default))
        return Scope(project_id=default) if usable else Scope()
    target = _target(directory, wanted)
    if target is None or not directory.roles_on(user.id, target):
        raise exception.Unauthorized()
    kind, ident = target
    if kind == SYSTEM:
        return Scope(system=True)
    return Scope(project_id=ident) if kind == "project" else Scope(domain_id=ident)


def _target(directory: Directory, wanted: Wanted) -> tuple[str, str] | None:
    name = wanted.name
    if wanted.kind == "system":
        return (SYSTEM, "all")
    if wanted.kind == "domain":
        domain = directory.domain(name.id, name.name)
        return ("domain", domain.id) if domain else None
    if name.id is not None:
        return ("project", name.id) if name.id in directory.projects else None
    domain = directory.domain(name.domain_id, name.domain_name)
    project = directory.project_named(name.name or "", domain.id) if domain else None
    return ("project", project.id) if project else None
