"""The embedded network service as a Paste application; the token check stands before it in the pipeline."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from oslo_config import cfg

from nova_lite import exception
from nova_lite.embedded import listen
from nova_lite.embedded.network import faults, first_network
from nova_lite.embedded.network.discovery import Discovery
from nova_lite.embedded.network.groups_api import GroupsApi, RulesApi
from nova_lite.embedded.network.networks_api import NetworksApi, SubnetsApi
from nova_lite.embedded.network.ports_api import Plug, PortsApi
from nova_lite.embedded.network.quotas import Quotas
from nova_lite.embedded.network.routers_api import FloatingIpsApi, RoutersApi
from nova_lite.embedded.network.store import Store
from nova_lite.embedded.wsgi import Application


class NetworkApplication(Application):
    """Errors carry the name that Neutron gave them."""

    def body_of(self, error: exception.NovaLiteError) -> dict[str, Any]:
        return faults.body(error)


def make(store: Store, url: str, plug: Plug, quota: dict[str, int] | None = None) -> NetworkApplication:
    """The application over a store; ``quota`` are limits other than Neutron's defaults."""
    quotas = Quotas(store, quota)
    rules = RulesApi(store, quotas)
    groups = GroupsApi(store, quotas, rules)
    ports = PortsApi(store, quotas, groups, plug)
    networks, subnets = NetworksApi(store, quotas), SubnetsApi(store, quotas)
    first_network.prepare(store, networks, subnets)
    rooms = (
        Discovery(url, store), networks, subnets, ports, groups, rules, RoutersApi(store, quotas, ports),
        FloatingIpsApi(store, quotas, ports), quotas,
    )  # fmt: skip
    table = [route for room in rooms for route in room.routes()]
    return NetworkApplication(table, _unnamed)


def make_app(conf: cfg.ConfigOpts) -> NetworkApplication:
    """The application with the options of [embedded].

    :raises ConfigInvalid: a record is unusable.
    """
    options = conf.embedded
    plug = Plug(options.network_vif_type, options.network_bridge)
    return make(Store(Path(options.directory) / "network"), listen.service_urls(conf)[listen.NETWORK], plug)


def _unnamed(status: int, message: str) -> dict[str, Any]:
    return {"NeutronError": {"type": str(status), "message": message, "detail": ""}}


def app_factory(global_conf: dict[str, Any], **local_conf: Any) -> NetworkApplication:
    """The Paste entry."""
    return make_app(cfg.CONF)
