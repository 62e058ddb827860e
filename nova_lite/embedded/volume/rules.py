"""Who may do what with a volume: Cinder's default rules."""

from __future__ import annotations

from dataclasses import dataclass

import webob

from nova_lite import exception
from nova_lite.embedded.volume.records import Record


@dataclass(frozen=True)
class Caller:
    """Whoever the token in front of the application proved. ``token`` is for asking the image service in their name."""

    project_id: str | None
    user_id: str | None
    roles: frozenset[str]
    token: str | None = None
    # Whether the request has a service's token besides.
    is_service: bool = False

    @property
    def is_admin(self) -> bool:
        return "admin" in self.roles

    def can_see(self, record: Record) -> bool:
        return self.is_admin or (self.project_id is not None and record.project_id == self.project_id)

    def require_write(self, rule: str) -> None:
        """:raises Forbidden: the caller only reads."""
        if not (self.is_admin or "member" in self.roles):
            raise exception.Forbidden(f"Policy doesn't allow {rule} to be performed.")

    def require_admin(self, rule: str) -> None:
        """:raises Forbidden: the caller is no administrator."""
        if not self.is_admin:
            raise exception.Forbidden(f"Policy doesn't allow {rule} to be performed.")


def caller(req: webob.Request, project_id: str | None) -> Caller:
    """Who asks, as the token check found out; ``project_id`` is the URL's.

    :raises Unauthorized: there was no token, or no token check: its headers alone prove nothing.
    :raises Invalid: the URL names another project than the token's.
    """
    environ = req.environ
    if environ.get("HTTP_X_IDENTITY_STATUS") != "Confirmed" or environ.get("keystone.token_auth") is None:
        raise exception.Unauthorized()
    roles = _roles(environ.get("HTTP_X_ROLES", ""))
    if not roles:
        raise exception.Forbidden("The token has no role on any project.")
    own = environ.get("HTTP_X_PROJECT_ID")
    if project_id is not None and project_id != own:
        raise exception.Invalid("Malformed request url")
    is_service = "service" in _roles(environ.get("HTTP_X_SERVICE_ROLES", ""))
    return Caller(own, environ.get("HTTP_X_USER_ID"), roles, environ.get("HTTP_X_AUTH_TOKEN"), is_service)


def _roles(header: str) -> frozenset[str]:
    return frozenset(role.strip().lower() for role in header.split(",") if role.strip())
