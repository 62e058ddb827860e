"""Which network a configuration means."""

from __future__ import annotations

from oslo_config import cfg

from nova_lite.network.api import API
from nova_lite.network.flat import FlatNetwork
from nova_lite.network.neutron import Neutron
from nova_lite.network.service import NetworkService

__all__ = ("API", "NEUTRON", "load")

NEUTRON = "neutron"


def load(conf: cfg.ConfigOpts) -> API:
    """The network of [network] backend."""
    if conf.network.backend == NEUTRON:
        return NetworkService(Neutron(conf), conf.neutron.ovs_bridge)
    return FlatNetwork(conf)
