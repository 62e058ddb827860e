from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest
import webob

from nova_lite.embedded.network import wsgi
from nova_lite.embedded.network.ports_api import Plug
from nova_lite.embedded.network.store import Store


@dataclasses.dataclass
class Client:
    """Speaks to the application as somebody whom the token check has proven."""

    app: Any
    project: str
    roles: str

    def __call__(
        self, method: str, path: str, body: Any = None, status: int = 200, headers: dict[str, str] | None = None
    ) -> Any:
        """The answer's JSON; its status must be the one expected."""
        req = webob.Request.blank("/v2.0" + path, method=method, headers=headers)
        if body is not None:
            req.body, req.content_type = json.dumps(body).encode(), "application/json"
        req.environ.update(
            {"HTTP_X_IDENTITY_STATUS": "Confirmed", "keystone.token_auth": object(), "HTTP_X_PROJECT_ID": self.project,
             "HTTP_X_ROLES": self.roles}
        )  # fmt: skip
        response = req.get_response(self.app)
        assert response.status_code == status, (response.status, response.body)
        return json.loads(response.body) if response.body else None

    def refused(self, method: str, path: str, body: Any, status: int) -> str:
        """The name that Neutron has for the refusal."""
        return str(self(method, path, body, status)["NeutronError"]["type"])


@pytest.fixture
def store() -> Store:
    return Store(None)


@pytest.fixture
def app(store: Store) -> Any:
    return wsgi.make(store, "http://net:9696", Plug())


@pytest.fixture
def demo(app: Any) -> Client:
    return Client(app, "p-demo", "member,reader")


@pytest.fixture
def other(app: Any) -> Client:
    return Client(app, "p-other", "member,reader")


@pytest.fixture
def admin(app: Any) -> Client:
    return Client(app, "p-admin", "admin,member,reader")


def new_network(who: Client, cidr: str | None = "192.0.2.0/28", **subnet: Any) -> tuple[str, str]:
    """Ids of a new network and of its subnet ("" without a ``cidr``)."""
    network = who("POST", "/networks", {"network": {"name": "net"}}, 201)["network"]["id"]
    if cidr is None:
        return network, ""
    version = 6 if ":" in cidr else 4
    body = {"network_id": network, "cidr": cidr, "ip_version": version, **subnet}
    return network, who("POST", "/subnets", {"subnet": body}, 201)["subnet"]["id"]


def new_port(who: Client, network: str, status: int = 201, **port: Any) -> Any:
    body = who("POST", "/ports", {"port": {"network_id": network, **port}}, status)
    return body["port"] if status == 201 else body["NeutronError"]["type"]
