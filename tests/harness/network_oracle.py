"""The oracle's eye on ports: what the network service's own store has, whatever its door answers."""

from __future__ import annotations

from nova_lite.network import vifs
from nova_lite.objects import Port
from tests.harness.networks import Networks


def ports(networks: Networks) -> tuple[Port, ...]:
    """Every port that serves a server or was made for one."""
    rows = networks.store.all("port")
    return tuple(vifs.port(row) for row in rows if vifs.is_made(row) or vifs.is_plugged(row))
