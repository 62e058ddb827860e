"""Security groups as the compute API shows them."""

from __future__ import annotations

from typing import Any

import pytest

from nova_lite.api.openstack.compute.views.security_groups import group

RULE: dict[str, Any] = {
    "id": "r", "security_group_id": "g", "tenant_id": "p", "direction": "ingress", "ethertype": "IPv4",
    "protocol": "tcp", "port_range_min": 22, "port_range_max": 23, "remote_ip_prefix": "198.51.100.0/24",
    "remote_group_id": None,
}  # fmt: skip


def _rule(**values: Any) -> dict[str, Any]:
    shown = group({"id": "g", "name": "web", "tenant_id": "p", "security_group_rules": [{**RULE, **values}]})
    (rule,) = shown["rules"]
    return dict(rule)


def test_a_rule() -> None:
    assert _rule() == {
        "id": "r", "parent_group_id": "g", "ip_protocol": "tcp", "from_port": 22, "to_port": 23, "group": {},
        "ip_range": {"cidr": "198.51.100.0/24"},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("values", "shown"),
    [
        ({"port_range_min": None, "port_range_max": None}, {"from_port": 1, "to_port": 65535}),
        ({"protocol": "icmp", "port_range_min": None, "port_range_max": None}, {"from_port": -1, "to_port": -1}),
        ({"protocol": None, "port_range_min": None, "port_range_max": None}, {"from_port": None, "to_port": None}),
        ({"remote_ip_prefix": None}, {"ip_range": {"cidr": "0.0.0.0/0"}}),
        ({"remote_ip_prefix": None, "ethertype": "IPv6"}, {"ip_range": {"cidr": "::/0"}}),
        (
            {"remote_ip_prefix": None, "remote_group_id": "o", "remote_group_name": "other"},
            {"ip_range": {}, "group": {"name": "other", "tenant_id": "p"}},
        ),
    ],
)
def test_what_is_not_said(values: dict[str, Any], shown: dict[str, Any]) -> None:
    rule = _rule(**values)
    assert {name: rule[name] for name in shown} == shown


def test_what_goes_out_is_not_shown() -> None:
    value = {"id": "g", "name": "web", "tenant_id": "p", "security_group_rules": [{**RULE, "direction": "egress"}]}
    assert group(value)["rules"] == [] and group(value)["description"] == ""
