"""Who asks: the request context that travels from the door to the hypervisor's host."""

from __future__ import annotations

from typing import Any

from oslo_context import context


class RequestContext(context.RequestContext):
    """An oslo context whose ``request_id`` is also the key of the instance action it causes."""

    FROM_DICT_EXTRA_KEYS = ["service_catalog"]

    # Seconds since the epoch; set by rpc on a context that came with a message.
    sent_at: float | None = None
    expires_at: float | None = None

    def __init__(self, *args: Any, service_catalog: list[dict[str, Any]] | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.service_catalog = service_catalog or []

    def to_wire(self) -> dict[str, Any]:
        """What travels over RPC: never the caller's token or catalogue."""
        return {
            "request_id": self.request_id,
            "global_request_id": self.global_request_id,
            "user_id": self.user_id,
            "project_id": self.project_id,
            "roles": list(self.roles or []),
            "is_admin": self.is_admin,
        }

    @classmethod
    def from_wire(cls, values: dict[str, Any]) -> RequestContext:
        return cls(
            request_id=values.get("request_id"),
            global_request_id=values.get("global_request_id"),
            user_id=values.get("user_id"),
            project_id=values.get("project_id"),
            roles=values.get("roles") or [],
            is_admin=bool(values.get("is_admin")),
            overwrite=True,
        )

    def policy_values(self) -> dict[str, Any]:
        """The credentials as oslo.policy rules read them."""
        return {
            "user_id": self.user_id,
            "project_id": self.project_id,
            "roles": list(self.roles or []),
            "is_admin": self.is_admin,
            "is_admin_project": True,
        }


def admin_context() -> RequestContext:
    """The cloud acting on its own behalf."""
    return RequestContext(is_admin=True, roles=["admin", "member", "reader"], overwrite=False)
