"""The network that is there from the start, shared by all projects, so that the first server needs no network commands.

Its addresses are those of QEMU's user-mode network (gateway 10.0.2.2, name server 10.0.2.3, the first guest 10.0.2.15)
in a range wide enough for many guests.
"""

from __future__ import annotations

from nova_lite.embedded.network.networks_api import NetworksApi, SubnetsApi
from nova_lite.embedded.network.rules import Caller
from nova_lite.embedded.network.store import Store

NAME = "private"
_SERVICE = Caller("", frozenset(("admin",)))
_MADE = "first-network"


def prepare(store: Store, networks: NetworksApi, subnets: SubnetsApi) -> None:
    """Make it once: whoever deletes it does not get it back."""
    with store.change():
        if store.find("mark", _MADE) is not None or store.all("network"):
            return
        network = networks.make(
            _SERVICE, {"name": NAME, "description": "The first network", "shared": True, "is_default": True}
        )
        subnets.make(
            _SERVICE,
            {
                "name": f"{NAME}-v4", "network_id": network["id"], "ip_version": 4, "cidr": "10.0.0.0/16",
                "gateway_ip": "10.0.2.2", "dns_nameservers": ["10.0.2.3"],
                "allocation_pools": [{"start": "10.0.2.15", "end": "10.0.255.254"}],
            },
        )  # fmt: skip
        store.put("mark", {"id": _MADE})
