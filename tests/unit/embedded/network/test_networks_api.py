"""Networks, subnets, groups and routers: what is made, listed, refused, and kept over a restart."""

from __future__ import annotations

import pathlib

import pytest

from nova_lite.embedded.network import wsgi
from nova_lite.embedded.network.ports_api import Plug
from nova_lite.embedded.network.store import Store
from tests.unit.embedded.network.conftest import Client, new_network, new_port


def test_what_is_kept_survives(tmp_path: pathlib.Path) -> None:
    first = Client(wsgi.make(Store(tmp_path), "http://net", Plug()), "p", "member")
    network, _ = new_network(first)
    port = new_port(first, network)
    again = Client(wsgi.make(Store(tmp_path), "http://net", Plug()), "p", "member")
    assert again("GET", f"/ports/{port['id']}")["port"] == port
    assert len(again("GET", "/networks")["networks"]) == 2, "the first network is made once"
    assert new_port(again, network)["fixed_ips"] != port["fixed_ips"]


def test_the_first_network_does_not_come_back(tmp_path: pathlib.Path) -> None:
    for _ in range(2):
        admin = Client(wsgi.make(Store(tmp_path), "http://net", Plug()), "p", "admin")
        for network in admin("GET", "/networks")["networks"]:
            admin("DELETE", f"/networks/{network['id']}", status=204)
    assert admin("GET", "/networks")["networks"] == []


@pytest.mark.parametrize(
    ("subnet", "kind"),
    [
        ({"cidr": "nonsense"}, "InvalidInput"),
        ({"cidr": "192.0.2.0/24", "ip_version": 6}, "InvalidInput"),
        ({"cidr": "192.0.2.0/28", "allocation_pools": [{"start": "192.0.3.1", "end": "192.0.3.2"}]},
         "OutOfBoundsAllocationPool"),
        ({"cidr": "192.0.2.0/28", "allocation_pools": [{"start": "192.0.2.5", "end": "192.0.2.4"}]},
         "InvalidAllocationPool"),
        ({"cidr": "192.0.2.0/28", "gateway_ip": "192.0.2.5",
          "allocation_pools": [{"start": "192.0.2.4", "end": "192.0.2.6"}]}, "GatewayConflictWithAllocationPools"),
        ({"cidr": "192.0.2.0/28", "surprise": 1}, "HTTPBadRequest"),
    ],
)  # fmt: skip
def test_subnets_that_make_no_sense(demo: Client, subnet: dict[str, object], kind: str) -> None:
    network, _ = new_network(demo, None)
    status = 409 if kind.startswith("GatewayConflict") else 400
    body = {"subnet": {"network_id": network, "ip_version": 4, **subnet}}
    assert demo.refused("POST", "/subnets", body, status) == kind


def test_subnets_get_a_gateway_and_pools(demo: Client) -> None:
    _, subnet = new_network(demo, "192.0.2.0/24", gateway_ip="192.0.2.9")
    shown = demo("GET", f"/subnets/{subnet}")["subnet"]
    assert shown["allocation_pools"] == [
        {"start": "192.0.2.1", "end": "192.0.2.8"}, {"start": "192.0.2.10", "end": "192.0.2.254"},
    ]  # fmt: skip
    _, bare = new_network(demo, "192.0.2.0/24", gateway_ip=None)
    assert demo("GET", f"/subnets/{bare}")["subnet"]["gateway_ip"] is None


def test_lists_are_filtered_sorted_and_paged(demo: Client) -> None:
    for name in ("b", "a", "c"):
        demo("POST", "/networks", {"network": {"name": name}}, 201)
    page = demo("GET", "/networks?sort_key=name&sort_dir=asc&limit=2&fields=id&fields=name")
    assert [network["name"] for network in page["networks"]] == ["a", "b"]
    assert [link["rel"] for link in page["networks_links"]] == ["next"]
    rest = demo("GET", f"/networks?sort_key=name&sort_dir=asc&limit=2&marker={page['networks'][1]['id']}")
    assert [network["name"] for network in rest["networks"]] == ["c", "private"]
    assert [n["name"] for n in demo("GET", "/networks?shared=True")["networks"]] == ["private"]
    assert demo("GET", "/networks?name=a&name=b&sort_key=name&sort_dir=asc")["networks"][0]["name"] == "a"
    demo("GET", "/networks?limit=x", status=400)


def test_only_administrators_share(demo: Client, admin: Client) -> None:
    assert demo.refused("POST", "/networks", {"network": {"shared": True}}, 403) == "PolicyNotAuthorized"
    assert demo.refused("POST", "/networks", {"network": {"project_id": "p-other"}}, 403) == "PolicyNotAuthorized"
    made = admin("POST", "/networks", {"network": {"tenant_id": "p-demo", "name": "given"}}, 201)["network"]
    assert demo("GET", f"/networks/{made['id']}")["network"]["tenant_id"] == "p-demo"
    reader = Client(demo.app, "p-demo", "reader")
    assert reader.refused("POST", "/networks", {"network": {}}, 403) == "PolicyNotAuthorized"


def test_groups_and_their_rules(demo: Client) -> None:
    made = demo("POST", "/security-groups", {"security_group": {"name": "web"}}, 201)["security_group"]
    assert sorted(rule["direction"] for rule in made["security_group_rules"]) == ["egress", "egress"]
    rule = {"security_group_id": made["id"], "direction": "ingress", "protocol": "tcp", "port_range_min": 80,
            "port_range_max": 80, "remote_ip_prefix": "198.51.100.7/24"}  # fmt: skip
    kept = demo("POST", "/security-group-rules", {"security_group_rule": rule}, 201)["security_group_rule"]
    assert kept["remote_ip_prefix"] == "198.51.100.0/24"
    again = demo.refused("POST", "/security-group-rules", {"security_group_rule": rule}, 409)
    assert again == "SecurityGroupRuleExists"
    nobody = {**rule, "remote_group_id": "nobody", "remote_ip_prefix": None}
    unknown = demo.refused("POST", "/security-group-rules", {"security_group_rule": nobody}, 404)
    assert unknown == "SecurityGroupNotFound"
    no_port = {**rule, "port_range_min": -16}
    odd = demo.refused("POST", "/security-group-rules", {"security_group_rule": no_port}, 400)
    assert odd == "SecurityGroupInvalidPortValue"
    renamed = {"security_group": {"name": "default"}}
    assert demo.refused("PUT", f"/security-groups/{made['id']}", renamed, 409) == "SecurityGroupDefaultAlreadyExists"
    upside_down = {**rule, "port_range_min": 90}
    wrong = demo.refused("POST", "/security-group-rules", {"security_group_rule": upside_down}, 400)
    assert wrong == "SecurityGroupInvalidPortRange"
    demo("DELETE", f"/security-groups/{made['id']}", status=204)
    demo("GET", f"/security-group-rules/{kept['id']}", status=404)
    taken = demo.refused("POST", "/security-groups", {"security_group": {"name": "default"}}, 409)
    assert taken == "SecurityGroupDefaultAlreadyExists"


def test_tags(demo: Client) -> None:
    network, _ = new_network(demo)
    demo("PUT", f"/networks/{network}/tags/red", status=201)
    assert demo("PUT", f"/networks/{network}/tags", {"tags": ["blue", "red"]})["tags"] == ["blue", "red"]
    assert [each["id"] for each in demo("GET", "/networks?tags=blue,red")["networks"]] == [network]
    assert [each["name"] for each in demo("GET", "/networks?not-tags=blue")["networks"]] == ["private"]
    demo("DELETE", f"/networks/{network}/tags/red", status=204)
    demo("GET", f"/networks/{network}/tags/red", status=404)


def test_routers_and_floating_addresses(demo: Client, admin: Client) -> None:
    outside = admin("POST", "/networks", {"network": {"name": "ext", "router:external": True}}, 201)["network"]["id"]
    body = {"network_id": outside, "cidr": "203.0.113.0/24", "ip_version": 4}
    admin("POST", "/subnets", {"subnet": body}, 201)
    assert demo("GET", f"/subnets?network_id={outside}")["subnets"] == []
    network, subnet = new_network(demo)
    gateway = {"name": "r", "external_gateway_info": {"network_id": outside}}
    router = demo("POST", "/routers", {"router": gateway}, 201)["router"]
    assert router["external_gateway_info"]["external_fixed_ips"][0]["ip_address"].startswith("203.0.113.")
    demo("PUT", f"/routers/{router['id']}/add_router_interface", {"subnet_id": subnet})
    demo.refused("PUT", f"/routers/{router['id']}/add_router_interface", {"subnet_id": subnet}, 400)
    _, twin = new_network(demo)
    demo.refused("PUT", f"/routers/{router['id']}/add_router_interface", {"subnet_id": twin}, 400)
    port = new_port(demo, network)
    wanted = {"floating_network_id": outside, "port_id": port["id"]}
    floating = demo("POST", "/floatingips", {"floatingip": wanted}, 201)["floatingip"]
    assert (floating["status"], floating["router_id"]) == ("ACTIVE", router["id"])
    assert floating["fixed_ip_address"] == port["fixed_ips"][0]["ip_address"]
    assert demo.refused("DELETE", f"/routers/{router['id']}", None, 409) == "RouterInUse"
    demo("DELETE", f"/ports/{port['id']}", status=204)
    assert demo("GET", f"/floatingips/{floating['id']}")["floatingip"]["status"] == "DOWN"
    demo("DELETE", f"/floatingips/{floating['id']}", status=204)
    demo("PUT", f"/routers/{router['id']}/remove_router_interface", {"subnet_id": subnet})
    route = {"destination": "198.51.100.0/24", "nexthop": "192.0.2.5"}
    for routes in ([route], None):
        shown = demo("PUT", f"/routers/{router['id']}", {"router": {"routes": routes}})["router"]["routes"]
        assert shown == (routes or [])
    demo("DELETE", f"/routers/{router['id']}", status=204)
    assert admin("GET", f"/ports?network_id={outside}")["ports"] == []


def test_discovery(demo: Client) -> None:
    assert {"security-group", "binding", "port-security", "router"} <= {
        each["alias"] for each in demo("GET", "/extensions")["extensions"]
    }
    demo("GET", "/extensions/security-group")
    assert demo.refused("GET", "/extensions/nonsense", None, 404) == "ExtensionNotFound"
    assert demo("GET", "/agents")["agents"] == []
    topology = demo("GET", "/auto-allocated-topology/p-demo")["auto_allocated_topology"]
    assert topology["id"] == demo("GET", "/networks")["networks"][0]["id"]
    assert demo.refused("GET", "/nonsense", None, 404) == "HTTPNotFound"
