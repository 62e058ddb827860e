"""A security group of the network service as the compute API has always shown it: what comes in, and from where."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nova_lite.api.openstack.compute.views.undo import View

# A protocol that has ports and names none means all of them; one that has none shows -1.
_ALL_PORTS = {"TCP": (1, 65535), "UDP": (1, 65535)}
_ANYWHERE = {"IPv4": "0.0.0.0/0", "IPv6": "::/0"}


def group(value: Mapping[str, Any]) -> View:
    rules = value.get("security_group_rules") or ()
    return {
        "id": value["id"],
        "name": value["name"],
        "description": value.get("description") or "",
        "tenant_id": value["tenant_id"],
        "rules": [_rule(each) for each in rules if each["direction"] == "ingress"],
    }


def _rule(value: Mapping[str, Any]) -> View:
    protocol, low, high = value["protocol"], value["port_range_min"], value["port_range_max"]
    if protocol and low is None and high is None:
        low, high = _ALL_PORTS.get(protocol.upper(), (-1, -1))
    source, remote = value.get("remote_group_id"), value.get("remote_ip_prefix")
    return {
        "id": value["id"],
        "parent_group_id": value["security_group_id"],
        "ip_protocol": protocol,
        "from_port": low,
        "to_port": high,
        "group": {"name": value.get("remote_group_name"), "tenant_id": value["tenant_id"]} if source else {},
        "ip_range": {} if source else {"cidr": remote or _ANYWHERE.get(value["ethertype"], "0.0.0.0/0")},
    }
