"""Request: what a controller sees of HTTP; Response: what it may answer instead of a plain dictionary."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from nova_lite import policy
from nova_lite.api.openstack import links
from nova_lite.api.openstack.microversions import Microversion
from nova_lite.context import RequestContext

Target = dict[str, Any]


class Request:
    """One request after routing: ``query`` maps each key to its values, ``body`` is proven by the call's schema."""

    __slots__ = ("_links", "body", "ctxt", "environ", "legacy", "path_project", "query", "rule", "version")

    def __init__(
        self, environ: dict[str, Any], ctxt: RequestContext, version: Microversion, *, legacy: bool = False
    ) -> None:
        self.environ = environ
        self.ctxt = ctxt
        self.version = version
        self.legacy = legacy
        self.path_project: str | None = None
        self.query: dict[str, list[str]] = {}
        self.body: Any = None
        self.rule: str | None = None
        self._links: links.Links | None = None

    def wants(self, since: Microversion) -> bool:
        """Whether the request's version has the behaviour named ``since``."""
        return self.version >= since

    def first(self, key: str, default: str | None = None) -> str | None:
        """The first value of a query key; of a repeated key Nova reads the first too."""
        values = self.query.get(key)
        return values[0] if values else default

    def last(self, key: str, default: str | None = None) -> str | None:
        """The last value of a query key, for filters where a repeated key overrides."""
        values = self.query.get(key)
        return values[-1] if values else default

    @property
    def own(self) -> Target:
        """The policy target that is the caller's own project and user."""
        return {"project_id": self.ctxt.project_id, "user_id": self.ctxt.user_id}

    def authorize(self, rule: str, target: Target | None = None) -> None:
        """Refuse unless ``rule`` lets the caller at ``target`` (own project by default).

        :raises PolicyNotAuthorized: it does not.
        """
        policy.authorize(self.ctxt, rule, self.own if target is None else target)

    def may(self, rule: str, target: Target | None = None) -> bool:
        """Whether ``rule`` lets the caller at ``target`` (own project by default)."""
        return policy.allowed(self.ctxt, rule, self.own if target is None else target)

    @property
    def links(self) -> links.Links:
        """The maker of this answer's links."""
        if self._links is None:
            self._links = links.Links(self.environ, self.path_project)
        return self._links


@dataclass(frozen=True)
class Response:
    """An answer that is more than a dictionary with the route's own status."""

    body: Any = None
    status: int | None = None
    headers: list[tuple[str, str]] = field(default_factory=list)
