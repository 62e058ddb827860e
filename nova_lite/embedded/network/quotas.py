"""How many of each noun a project may have, and /v2.0/quotas."""

from __future__ import annotations

from typing import Any

import webob

from nova_lite.embedded import bodies
from nova_lite.embedded.network import faults, fields, rules
from nova_lite.embedded.network.nouns import NOUNS
from nova_lite.embedded.network.store import Store
from nova_lite.embedded.wsgi import Route, empty_response, json_response

# -1 is no limit. Neutron's own defaults.
DEFAULTS = {
    "network": 100, "subnet": 100, "port": 500, "router": 10, "floatingip": 50, "security_group": 10,
    "security_group_rule": 100, "subnetpool": -1, "rbac_policy": 10,
}  # fmt: skip
_LIMIT = fields.number(-1, 2**31 - 1)
# Whether a limit may be below what is used; the stock client always says which.
_FLAGS = ("check_limit", "force")
_KNOWN = frozenset(noun.name for noun in NOUNS)


class Quotas:
    """:param defaults: limits of projects that have none of their own."""

    def __init__(self, store: Store, defaults: dict[str, int] | None = None) -> None:
        self._store = store
        self._defaults = {**DEFAULTS, **(defaults or {})}

    def limits(self, project_id: str) -> dict[str, int]:
        own = self._store.find("quota", project_id) or {}
        return {name: own.get(name, limit) for name, limit in self._defaults.items()}

    def used(self, kind: str, project_id: str) -> int:
        if kind not in _KNOWN:
            return 0
        if kind in ("port", "security_group"):
            return len(self._store.where(kind, "project_id", project_id))
        return sum(record["project_id"] == project_id for record in self._store.all(kind))

    def check(self, kind: str, project_id: str) -> None:
        """:raises Clash: one more is too many."""
        limit = self.limits(project_id)[kind]
        if 0 <= limit <= self.used(kind, project_id):
            raise faults.over_quota(kind)

    # -- calls ----------------------------------------------------------------------------------------

    def routes(self) -> list[Route]:
        one = "/v2.0/quotas/{project_id}"
        return [
            Route("GET", "/v2.0/quotas", self.index), Route("GET", one, self.show), Route("PUT", one, self.update),
            Route("DELETE", one, self.reset), Route("GET", one + "/default", self.default),
            Route("GET", one + "/details.json", self.details), Route("GET", one + "/details", self.details),
        ]  # fmt: skip

    def index(self, req: webob.Request) -> webob.Response:
        _require(rules.caller(req).is_admin, "get_quota")
        rows = [self._view(record["id"]) for record in self._store.all("quota")]
        return json_response({"quotas": rows})

    def _view(self, project_id: str) -> dict[str, Any]:
        return {**self.limits(project_id), "tenant_id": project_id, "project_id": project_id}

    def show(self, req: webob.Request, project_id: str) -> webob.Response:
        who = rules.caller(req)
        if project_id in ("tenant", "project"):
            return json_response({project_id: {"tenant_id": who.project_id, "project_id": who.project_id}})
        _require(who.is_trusted or who.project_id == project_id, "get_quota")
        return json_response({"quota": self.limits(project_id)})

    def default(self, req: webob.Request, project_id: str) -> webob.Response:
        who = rules.caller(req)
        _require(who.is_trusted or who.project_id == project_id, "get_quota")
        return json_response({"quota": self._defaults})

    def details(self, req: webob.Request, project_id: str) -> webob.Response:
        who = rules.caller(req)
        _require(who.is_trusted or who.project_id == project_id, "get_quota")
        rows = {
            kind: {"limit": limit, "used": self.used(kind, project_id), "reserved": 0}
            for kind, limit in self.limits(project_id).items()
        }
        return json_response({"quota": rows})

    def update(self, req: webob.Request, project_id: str) -> webob.Response:
        _require(rules.caller(req).is_admin, "update_quota")
        body = bodies.read_json(req, 1 << 16)
        given = body.get("quota") if isinstance(body, dict) else None
        if not isinstance(given, dict) or not 0 < len(project_id) <= 64 or "/" in project_id or "." in project_id:
            raise faults.invalid("Unable to find 'quota' in request body", "HTTPBadRequest")
        wanted = {name: _LIMIT(name, value) for name, value in given.items() if name in self._defaults}
        unknown = given.keys() - wanted.keys() - {"tenant_id", "project_id", *_FLAGS}
        if unknown:
            raise faults.invalid(f"Unrecognized attribute(s) '{', '.join(sorted(unknown)):.255}'", "HTTPBadRequest")
        flags = {name: fields.flag(name, given[name]) for name in _FLAGS if given.get(name) is not None}
        with self._store.change():
            if flags.get("check_limit"):
                self._fit(project_id, wanted)
            own = self._store.find("quota", project_id) or {"id": project_id}
            self._store.put("quota", {**own, **wanted})
        return json_response({"quota": self.limits(project_id)})

    def _fit(self, project_id: str, wanted: dict[str, int]) -> None:
        """:raises Refused: the project has more already."""
        for kind, limit in wanted.items():
            used = self.used(kind, project_id)
            if 0 <= limit < used:
                sentence = f"Quota limit {limit} for {kind} must be greater than or equal to already used {used}"
                raise faults.invalid(sentence, "HTTPBadRequest")

    def reset(self, req: webob.Request, project_id: str) -> webob.Response:
        _require(rules.caller(req).is_admin, "delete_quota")
        with self._store.change():
            if self._store.find("quota", project_id) is None:
                raise faults.Missing(
                    f"Quota for tenant {project_id:.64} could not be found.", type="TenantQuotaNotFound"
                )
            self._store.remove("quota", project_id)
        return empty_response()


def _require(is_allowed: bool, rule: str) -> None:
    if not is_allowed:
        raise faults.denied(rule)
