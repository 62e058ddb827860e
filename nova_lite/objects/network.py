"""What a server asks of the network, and what it got."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from nova_lite.objects.base import TravellingObject


@dataclass(frozen=True)
class NetworkRequest(TravellingObject):
    """One requested interface; nothing given means "whatever there is", with ``auto`` "and make it if need be"."""

    network_id: str | None = None
    port_id: str | None = None
    fixed_ip: str | None = None
    tag: str | None = None
    auto: bool = False


FIXED = "fixed"


@dataclass(frozen=True)
class FixedIP(TravellingObject):
    """One address; ``type`` is fixed or floating."""

    VERSION: ClassVar[str] = "1.1"

    address: str
    version: int = 4
    type: str = FIXED
    subnet_id: str | None = None


@dataclass(frozen=True)
class Subnet(TravellingObject):
    """What a guest must know of a subnet to use an address of it."""

    id: str
    cidr: str
    version: int = 4
    gateway: str | None = None
    dns: tuple[str, ...] = ()
    dhcp: bool = True


@dataclass(frozen=True)
class Vif(TravellingObject):
    """One interface of a server. ``type`` decides how the driver plugs it: user, bridge, ovs, none.

    ``security_groups`` are names. ``preserved``: the port was given by the user, who keeps it when the server goes.
    """

    VERSION: ClassVar[str] = "1.1"

    id: str
    mac: str
    network_id: str
    label: str
    type: str = "user"
    bridge: str | None = None
    mtu: int | None = None
    fixed_ips: tuple[FixedIP, ...] = ()
    tag: str | None = None
    subnets: tuple[Subnet, ...] = ()
    security_groups: tuple[str, ...] = ()
    preserved: bool = False
    active: bool = True


@dataclass(frozen=True)
class Port:
    """A port of the network service that serves a server (``is_plugged``), or was made for one (``is_made``).

    ``server`` is whatever the port's owner, ``project``, wrote there; None where the network service does not say.
    """

    id: str
    server: str
    host: str | None
    is_made: bool
    is_plugged: bool
    project: str | None = None
