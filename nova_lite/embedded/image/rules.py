"""Who may do what with an image: Glance's default rules."""

from __future__ import annotations

from dataclasses import dataclass

import webob

from nova_lite import exception
from nova_lite.embedded.image.records import COMMUNITY, PUBLIC, SHARED, Image


@dataclass(frozen=True)
class Caller:
    """Whoever the token in front of the application proved."""

    project_id: str | None
    roles: frozenset[str]

    @property
    def is_admin(self) -> bool:
        return "admin" in self.roles

    def owns(self, image: Image) -> bool:
        return self.project_id is not None and image.owner == self.project_id

    def can_see(self, image: Image) -> bool:
        if self.is_admin or self.owns(image) or image.visibility in (PUBLIC, COMMUNITY):
            return True
        return self.is_member(image)

    def is_member(self, image: Image) -> bool:
        return image.visibility == SHARED and self.project_id is not None and self.project_id in image.members

    def require_change(self, image: Image) -> None:
        """:raises Forbidden: the caller sees the image but it is somebody else's."""
        if not (self.is_admin or (self.owns(image) and self.can_write)):
            raise exception.Forbidden(f"You are not permitted to modify image {image.id}.")

    @property
    def can_write(self) -> bool:
        return self.is_admin or "member" in self.roles

    def require_publish(self, visibility: str) -> None:
        """:raises Forbidden: only the administrator makes images public."""
        if visibility == PUBLIC and not self.is_admin:
            raise exception.Forbidden("You are not authorized to complete publicize_image action.")


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
    return Caller(environ.get("HTTP_X_PROJECT_ID"), roles)
