"""What a server asks of the network, and what it got."""

from __future__ import annotations

from dataclasses import dataclass

from nova_lite.objects.base import TravellingObject


@dataclass(frozen=True)
class NetworkRequest(TravellingObject):
    """One requested interface; all None with ``auto`` means "whatever there is"."""

    network_id: str | None = None
    port_id: str | None = None
    fixed_ip: str | None = None
    tag: str | None = None
    auto: bool = False


@dataclass(frozen=True)
class FixedIP(TravellingObject):
    address: str
    version: int = 4
    type: str = "fixed"


@dataclass(frozen=True)
class Vif(TravellingObject):
    """One interface of a server. ``type`` decides how the driver plugs it: user, bridge, ovs, none."""

    id: str
    mac: str
    network_id: str
    label: str
    type: str = "user"
    bridge: str | None = None
    mtu: int | None = None
    fixed_ips: tuple[FixedIP, ...] = ()
    tag: str | None = None
