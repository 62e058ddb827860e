"""From Neutron's JSON to Vif. Pure: network, subnets and groups are given."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping
from typing import Any

from nova_lite import exception
from nova_lite.objects import FixedIP, Instance, Port, Subnet, Vif
from nova_lite.objects.network import FIXED

Json = Mapping[str, Any]
# An outer address by port and inner address.
Floating = Mapping[tuple[str, str], str]

# The description of ports that are made for a server and go with it. A user's own port has another, and stays.
MADE = "nova-lite: goes with its server"
# Neutron's kinds of plugs by what drivers of ours know.
_TYPES = {"ovs": "ovs", "bridge": "bridge", "user": "user", "unbound": "none", "": "none"}


def made(key: str = "") -> str:
    """The description of a port that is made; ``key`` names the attach that it is made by."""
    return f"{MADE} ({key})" if key else MADE


def is_made(port: Json) -> bool:
    """Whether it says that we made it."""
    return str(port.get("description", "")).startswith(MADE)


def goes_with(port: Json, server: Instance) -> bool:
    """Whether we made the port, so that it goes with its server, who remembers it: users may describe it anew."""
    return is_made(port) or any(vif.id == port["id"] and not vif.preserved for vif in server.network_info)


def is_plugged(port: Json) -> bool:
    """Whether a compute cloud uses it, whosever port it is."""
    return str(port.get("device_owner", "")).startswith("compute:")


def port(row: Json) -> Port:
    """What an audit looks at."""
    host = row.get("binding:host_id") or None
    project = row.get("project_id") or row.get("tenant_id")
    return Port(row["id"], str(row.get("device_id") or ""), host, is_made(row), is_plugged(row), project)


def vif(
    port: Json, network: Json, subnets: Mapping[str, Subnet], groups: Mapping[str, str], ovs_bridge: str,
    tag: str | None = None, floating: Floating | None = None, preserved: bool = False,
) -> Vif:  # fmt: skip
    """The interface that a port is; ``groups`` are names by id.

    :raises Invalid: the network service could not bind the port.
    """
    kind = port.get("binding:vif_type") or ""
    if kind == "binding_failed":
        raise exception.Invalid(
            f"Binding failed for port {port['id']}, please check neutron logs for more information."
        )
    details = port.get("binding:vif_details") or {}
    plug = _TYPES.get(kind, kind)
    bridge = details.get("bridge_name") or (ovs_bridge if plug == "ovs" else None)
    addresses = tuple(each for fixed in port.get("fixed_ips", ()) for each in _addresses(port, fixed, floating or {}))
    named = dict.fromkeys(each.subnet_id for each in addresses if each.subnet_id in subnets)
    return Vif(
        id=port["id"],
        mac=port["mac_address"],
        network_id=port["network_id"],
        label=network.get("name") or port["network_id"],
        type=plug,
        bridge=bridge,
        mtu=network.get("mtu"),
        fixed_ips=addresses,
        tag=tag,
        subnets=tuple(subnets[ident] for ident in named if ident is not None),
        security_groups=tuple(groups[ident] for ident in port.get("security_groups", ()) if ident in groups),
        preserved=preserved,
        active=port.get("status") == "ACTIVE",
    )


def _addresses(port: Json, value: Json, floating: Floating) -> Iterator[FixedIP]:
    """An address, and the outer one that leads to it."""
    address = ipaddress.ip_address(value["ip_address"])
    yield FixedIP(str(address), address.version, FIXED, value.get("subnet_id"))
    outer = floating.get((port["id"], value["ip_address"]))
    if outer is not None:
        yield FixedIP(outer, ipaddress.ip_address(outer).version, "floating")


def subnet(value: Json) -> Subnet:
    return Subnet(
        id=value["id"],
        cidr=value["cidr"],
        version=int(value["ip_version"]),
        gateway=value.get("gateway_ip"),
        dns=tuple(value.get("dns_nameservers") or ()),
        dhcp=bool(value.get("enable_dhcp", True)),
    )
