"""The network service's nouns as a table: what each is called, and its attributes with their checks and defaults."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from nova_lite.embedded.network import fields as f
from nova_lite.embedded.network.faults import Refused, invalid
from nova_lite.embedded.network.fields import Field, Given

Record = dict[str, Any]

_NAME = Field(f.text(), "")
_TEXT = Field(f.text(), "")
_UP = Field(f.flag, True)
_OWNER = Field(f.text(255), None, fixed=True)  # who may name another project is decided where it is written


@dataclass(frozen=True)
class Noun:
    """``readable`` are attributes that only the service writes, with their first values."""

    name: str
    plural: str
    fields: Mapping[str, Field]
    readable: Mapping[str, Any] = field(default_factory=dict)
    is_tagged: bool = True

    @property
    def path(self) -> str:
        """The collection's path."""
        return "/v2.0/" + self.plural.replace("_", "-")


NETWORK = Noun(
    "network",
    "networks",
    {
        "name": _NAME, "description": _TEXT, "admin_state_up": _UP, "project_id": _OWNER,
        "shared": Field(f.flag, False, admin=True),
        "router:external": Field(f.flag, False, admin=True),
        "is_default": Field(f.flag, False, admin=True),
        "port_security_enabled": Field(f.flag, True),
        "mtu": Field(f.number(0, 65535), 1500),
        "dns_domain": Field(f.text(), ""),
        "availability_zone_hints": Field(f.several(f.text()), list, fixed=True),
        "provider:network_type": Field(f.optional(f.text(32)), None, admin=True, secret=True),
        "provider:physical_network": Field(f.optional(f.text()), None, admin=True, secret=True),
        "provider:segmentation_id": Field(f.optional(f.number(0, 1 << 24)), None, admin=True, secret=True),
        "qos_policy_id": Field(f.optional(f.uuid), None),
    },
    {"status": "ACTIVE", "subnets": list, "availability_zones": list, "ipv4_address_scope": None,
     "ipv6_address_scope": None},
)  # fmt: skip

SUBNET = Noun(
    "subnet",
    "subnets",
    {
        "name": _NAME, "description": _TEXT, "project_id": _OWNER,
        "network_id": Field(f.uuid, Given, fixed=True),
        "ip_version": Field(f.choice(4, 6), Given, fixed=True),
        "cidr": Field(f.cidr, None, fixed=True),
        "prefixlen": Field(f.number(0, 128), None, fixed=True),
        "gateway_ip": Field(f.optional(f.address), "auto"),
        "allocation_pools": Field(f.objects({"start": f.address, "end": f.address}), None),
        "dns_nameservers": Field(f.several(f.address), list),
        "host_routes": Field(f.objects({"destination": f.cidr, "nexthop": f.address}), list),
        "enable_dhcp": Field(f.flag, True),
        "ipv6_ra_mode": Field(f.optional(f.choice("dhcpv6-stateful", "dhcpv6-stateless", "slaac")), None, fixed=True),
        "ipv6_address_mode": Field(
            f.optional(f.choice("dhcpv6-stateful", "dhcpv6-stateless", "slaac")), None, fixed=True
        ),
        "subnetpool_id": Field(f.optional(f.uuid), None, fixed=True),
        "use_default_subnetpool": Field(f.flag, False, fixed=True),
        "service_types": Field(f.several(f.text()), list),
        "dns_publish_fixed_ip": Field(f.flag, False),
        "segment_id": Field(f.optional(f.uuid), None),
    },
)  # fmt: skip

PORT = Noun(
    "port",
    "ports",
    {
        "name": _NAME, "description": _TEXT, "admin_state_up": _UP, "project_id": _OWNER,
        "network_id": Field(f.uuid, Given, fixed=True),
        "mac_address": Field(f.mac, None),
        "fixed_ips": Field(f.objects({}, {"subnet_id": f.uuid, "ip_address": f.address}), None),
        "device_id": Field(f.text(), ""),
        "device_owner": Field(f.text(), ""),
        "security_groups": Field(f.several(f.text()), None),
        "allowed_address_pairs": Field(f.objects({"ip_address": f.text()}, {"mac_address": f.mac}), list),
        "extra_dhcp_opts": Field(
            f.objects({"opt_name": f.text(), "opt_value": f.optional(f.text())}, {"ip_version": f.choice(4, 6)}), list
        ),
        "port_security_enabled": Field(f.flag, None),
        "dns_name": Field(f.text(), ""),
        "dns_domain": Field(f.text(), ""),
        "propagate_uplink_status": Field(f.flag, True),
        "binding:vnic_type": Field(f.text(32), "normal"),
        "binding:host_id": Field(f.optional(f.text()), "", admin=True, secret=True),
        "binding:profile": Field(f.optional(f.mapping), dict, admin=True, secret=True),
        "qos_policy_id": Field(f.optional(f.uuid), None),
    },
    {"status": "DOWN", "dns_assignment": list, "qos_network_policy_id": None, "resource_request": None,
     "ip_allocation": "immediate"},
)  # fmt: skip

_PROTOCOLS = (
    "tcp", "udp", "icmp", "icmpv6", "ipv6-icmp", "ah", "dccp", "egp", "esp", "gre", "igmp", "ipip", "ipv6-encap",
    "ipv6-frag", "ipv6-nonxt", "ipv6-opts", "ipv6-route", "ospf", "pgm", "rsvp", "sctp", "udplite", "vrrp",
)  # fmt: skip


def _protocol(name: str, value: Any) -> str | None:
    if value is None or str(value).lower() in ("any", "0"):
        return None
    if str(value).isascii() and str(value).isdigit() and 0 < int(value) < 256:
        return str(value)
    found: str = f.choice(*_PROTOCOLS)(name, value)
    return found


def _port(name: str, value: Any) -> int | None:
    try:
        return value if value is None else int(f.number(-1, 65535)(name, value))
    except Refused:
        raise invalid(f"Invalid value for port {value!s:.32}", "SecurityGroupInvalidPortValue") from None


SECURITY_GROUP = Noun(
    "security_group",
    "security_groups",
    {
        "name": _NAME, "description": _TEXT, "project_id": _OWNER,
        "stateful": Field(f.flag, True),
    },
    {"shared": False},
)  # fmt: skip

SECURITY_GROUP_RULE = Noun(
    "security_group_rule",
    "security_group_rules",
    {
        "description": _TEXT, "project_id": _OWNER,
        "security_group_id": Field(f.text(64), Given, fixed=True),
        "direction": Field(f.choice("ingress", "egress"), Given, fixed=True),
        "ethertype": Field(f.choice("IPv4", "IPv6"), "IPv4", fixed=True),
        "protocol": Field(_protocol, None, fixed=True),
        "port_range_min": Field(_port, None, fixed=True),
        "port_range_max": Field(_port, None, fixed=True),
        "remote_ip_prefix": Field(f.optional(f.cidr), None, fixed=True),
        "remote_group_id": Field(f.optional(f.text(64)), None, fixed=True),
        "remote_address_group_id": Field(f.optional(f.uuid), None, fixed=True),
    },
    {"belongs_to_default_sg": False},
    is_tagged=False,
)  # fmt: skip


def _gateway(name: str, value: Any) -> dict[str, Any]:
    wanted = f.objects(
        {"network_id": f.uuid},
        {"enable_snat": f.flag,
         "external_fixed_ips": f.objects({}, {"subnet_id": f.uuid, "ip_address": f.address})},
    )  # fmt: skip
    found: dict[str, Any] = wanted(name, [value])[0]
    return found


ROUTER = Noun(
    "router",
    "routers",
    {
        "name": _NAME, "description": _TEXT, "admin_state_up": _UP, "project_id": _OWNER,
        "external_gateway_info": Field(lambda name, value: _gateway(name, value) if value else None, None),
        "routes": Field(f.objects({"destination": f.cidr, "nexthop": f.address}), list),
        "distributed": Field(f.flag, False, admin=True, secret=True),
        "ha": Field(f.flag, False, admin=True, secret=True),
        "availability_zone_hints": Field(f.several(f.text()), list, fixed=True),
        "flavor_id": Field(f.optional(f.uuid), None, fixed=True),
        "enable_ndp_proxy": Field(f.flag, False),
    },
    {"status": "ACTIVE", "availability_zones": list},
)  # fmt: skip

FLOATING_IP = Noun(
    "floatingip",
    "floatingips",
    {
        "description": _TEXT, "project_id": _OWNER,
        "floating_network_id": Field(f.uuid, Given, fixed=True),
        "subnet_id": Field(f.optional(f.uuid), None, fixed=True),
        "floating_ip_address": Field(f.address, None, fixed=True),
        "port_id": Field(f.optional(f.uuid), None),
        "fixed_ip_address": Field(f.optional(f.address), None),
        "dns_name": Field(f.text(), ""),
        "dns_domain": Field(f.text(), ""),
        "qos_policy_id": Field(f.optional(f.uuid), None),
    },
    {"status": "DOWN", "router_id": None, "port_details": None},
)  # fmt: skip

NOUNS = (NETWORK, SUBNET, PORT, SECURITY_GROUP, SECURITY_GROUP_RULE, ROUTER, FLOATING_IP)
