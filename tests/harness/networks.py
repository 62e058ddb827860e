"""The network service in this process: our own client with the embedded service right behind it."""

from __future__ import annotations

import json
import urllib.parse
from typing import Any

import webob
from oslo_config import cfg

from nova_lite import concurrency, exception
from nova_lite.context import RequestContext
from nova_lite.embedded.network import wsgi
from nova_lite.embedded.network.ports_api import Plug
from nova_lite.embedded.network.store import Store
from nova_lite.network.neutron import Neutron
from nova_lite.network.service import NetworkService
from nova_lite.network.vifs import is_made
from nova_lite.virt.fault_plan import FaultPlan

SERVICE = ("service", "admin,service")


class _Response:
    """What the client reads of an answer."""

    def __init__(self, response: webob.Response) -> None:
        self.status_code = response.status_code
        self.content = response.body

    def json(self) -> Any:
        return json.loads(self.content)


class InProcessNeutron(Neutron):
    """``plan`` strikes each request under its method and collection, as in ``POST ports``."""

    def __init__(self, conf: cfg.ConfigOpts, store: Store) -> None:
        super().__init__(conf)
        self._app = wsgi.make(store, "http://127.0.0.1:9696", Plug(), {"port": -1, "security_group": -1})
        self.plan = FaultPlan(concurrency.sleep)

    def send(self, ctxt: RequestContext | None, method: str, path: str, **options: Any) -> dict[str, Any]:
        try:
            self.plan.strike(f"{method} {path.split('/')[0]}", path.partition("/")[2] or None)
        except exception.NovaLiteError as error:
            raise exception.Unavailable("The network service cannot be reached.") from error
        who = SERVICE if ctxt is None else (str(ctxt.project_id), ",".join(ctxt.roles or ("member", "reader")))
        response = self.ask(
            who, method, path, options.get("json"), options.get("params"), options.get("headers", {})
        )
        return self.answer(response, acts_as_user=ctxt is not None)

    def ask(
        self, who: tuple[str, str], method: str, path: str, body: Any = None, query: Any = None, headers: Any = None
    ) -> _Response:
        """A request of a project with these roles."""
        text = urllib.parse.urlencode(query or {}, doseq=True)
        req = webob.Request.blank(f"/v2.0/{path}?{text}", method=method, headers=headers)
        if body is not None:
            req.body, req.content_type = json.dumps(body).encode(), "application/json"
        req.environ.update(
            {"HTTP_X_IDENTITY_STATUS": "Confirmed", "keystone.token_auth": object(), "HTTP_X_PROJECT_ID": who[0],
             "HTTP_X_ROLES": who[1]}
        )  # fmt: skip
        return _Response(req.get_response(self._app))


class Networks(NetworkService):
    """A network service of its own for each cloud, which outlives the cloud's services."""

    def __init__(self, conf: cfg.ConfigOpts) -> None:
        self.store = Store(None)
        self.neutron = InProcessNeutron(conf, self.store)
        super().__init__(self.neutron)
        self.plan = self.neutron.plan

    def ask(self, project: str, method: str, path: str, body: Any = None, roles: str = "member,reader") -> Any:
        """What a project's own client does at the network service; the answer's JSON."""
        response = self.neutron.ask((project, roles), method, path, body)
        assert response.status_code < 300, (response.status_code, response.content)
        return response.json() if response.content else None

    def new_network(self, project: str, cidr: str = "192.0.2.0/24", **network: Any) -> str:
        """A network with a subnet; its id."""
        made = self.ask(project, "POST", "networks", {"network": {"name": "net", **network}}, "admin,member")["network"]
        body = {"network_id": made["id"], "cidr": cidr, "ip_version": 6 if ":" in cidr else 4}
        self.ask(project, "POST", "subnets", {"subnet": body}, "admin,member")
        return str(made["id"])

    def new_port(self, project: str, network: str, **port: Any) -> Any:
        return self.ask(project, "POST", "ports", {"port": {"network_id": network, **port}})["port"]

    def first_network(self) -> str:
        return str(self.store.all("network")[0]["id"])

    def ports_of(self, server: str) -> list[dict[str, Any]]:
        return [port for port in self.store.all("port") if port["device_id"] == server]

    def made(self) -> list[dict[str, Any]]:
        """Ports that were made for servers."""
        return [port for port in self.store.all("port") if is_made(port)]
