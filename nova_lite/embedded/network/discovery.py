"""Versions, extensions, and what of Neutron is always empty here: agents, pools, policies."""

from __future__ import annotations

from typing import Any

import webob

from nova_lite.embedded.network import faults, rules
from nova_lite.embedded.network.extensions import EXTENSIONS
from nova_lite.embedded.network.networks_api import ZONE, open_to_all
from nova_lite.embedded.network.nouns import NOUNS
from nova_lite.embedded.network.store import Store
from nova_lite.embedded.wsgi import Route, json_response

# Path to the key of an answer that never has anything in it.
_EMPTY = {
    "agents": "agents", "subnetpools": "subnetpools", "address-scopes": "address_scopes", "trunks": "trunks",
    "rbac-policies": "rbac_policies", "qos/policies": "policies", "service-providers": "service_providers",
    "segments": "segments", "address-groups": "address_groups", "flavors": "flavors",
}  # fmt: skip


class Discovery:
    """:param url: the service's own URL, without a version."""

    def __init__(self, url: str, store: Store) -> None:
        self._url = url
        self._store = store

    def routes(self) -> list[Route]:
        return [
            Route("GET", "/", self.versions),
            Route("GET", "/v2.0", self.resources),
            Route("GET", "/v2.0/extensions", self.extensions),
            Route("GET", "/v2.0/extensions/{alias}", self.extension),
            Route("GET", "/v2.0/availability_zones", self.zones),
            Route("GET", "/v2.0/auto-allocated-topology/{project_id}", self.topology),
            *(Route("GET", f"/v2.0/{path}", _empty(key)) for path, key in _EMPTY.items()),
        ]

    def versions(self, req: webob.Request) -> webob.Response:
        links = [{"rel": "self", "href": f"{self._url}/v2.0/"}]
        return json_response({"versions": [{"id": "v2.0", "status": "CURRENT", "links": links}]})

    def resources(self, req: webob.Request) -> webob.Response:
        rows = [
            {"name": noun.name, "collection": noun.plural, "links": [{"rel": "self", "href": self._url + noun.path}]}
            for noun in NOUNS
        ]
        return json_response({"resources": rows})

    def extensions(self, req: webob.Request) -> webob.Response:
        rules.caller(req)
        return json_response({"extensions": EXTENSIONS})

    def extension(self, req: webob.Request, alias: str) -> webob.Response:
        """:raises Missing: it is not offered."""
        rules.caller(req)
        for each in EXTENSIONS:
            if each["alias"] == alias:
                return json_response({"extension": each})
        raise faults.Missing(f"Extension with alias {alias:.64} does not exist", type="ExtensionNotFound")

    def zones(self, req: webob.Request) -> webob.Response:
        rules.caller(req)
        rows = [{"name": ZONE, "resource": kind, "state": "available"} for kind in ("network", "router")]
        return json_response({"availability_zones": rows})

    def topology(self, req: webob.Request, project_id: str) -> webob.Response:
        """The network that a project gets without asking: the default one, where there is one.

        :raises Missing: no network is marked as default.
        """
        who = rules.caller(req)
        if project_id in ("null", "None"):
            project_id = who.project_id
        for network in self._store.all("network"):
            if network["is_default"] and open_to_all(network):
                if "dry-run" in req.GET.getall("fields"):
                    return json_response({"auto_allocated_topology": {"id": "dry-run=pass", "tenant_id": project_id}})
                found = {"id": network["id"], "tenant_id": project_id, "project_id": project_id}
                return json_response({"auto_allocated_topology": found})
        raise faults.Missing(
            "Deployment error: No default router:external network.", type="AutoAllocationFailure"
        )


def _empty(key: str) -> Any:
    def answer(req: webob.Request) -> webob.Response:
        rules.caller(req)
        return json_response({key: []})

    return answer
