"""Ports: addresses, MAC addresses, groups, bindings, and who may."""

from __future__ import annotations

from typing import Any

from tests.unit.embedded.network.conftest import Client, new_network, new_port


def test_the_first_network_is_everybodys(demo: Client, other: Client) -> None:
    (network,) = demo("GET", "/networks")["networks"]
    assert (network["name"], network["shared"], network["is_default"], network["status"]) == (
        "private", True, True, "ACTIVE",
    )  # fmt: skip
    assert other("GET", "/networks")["networks"][0]["id"] == network["id"]
    port = new_port(demo, network["id"])
    assert [fixed["ip_address"] for fixed in port["fixed_ips"]] == ["10.0.2.15"]
    assert port["status"] == "DOWN" and "binding:host_id" not in port
    assert other("GET", "/ports")["ports"] == []
    other("GET", f"/ports/{port['id']}", status=404)
    other("DELETE", f"/networks/{network['id']}", status=403)


def test_addresses_are_given_once_and_the_pool_ends(demo: Client) -> None:
    network, _ = new_network(demo)  # 16 addresses, less the edges and the gateway
    given = {new_port(demo, network)["fixed_ips"][0]["ip_address"] for _ in range(13)}
    assert len(given) == 13 and "192.0.2.1" not in given
    assert new_port(demo, network, 409) == "IpAddressGenerationFailure"


def test_a_wanted_address(demo: Client) -> None:
    network, subnet = new_network(demo)
    port = new_port(demo, network, fixed_ips=[{"ip_address": "192.0.2.9"}])
    assert port["fixed_ips"] == [{"subnet_id": subnet, "ip_address": "192.0.2.9"}]
    assert new_port(demo, network, 409, fixed_ips=[{"ip_address": "192.0.2.9"}]) == "IpAddressAlreadyAllocated"
    assert new_port(demo, network, 400, fixed_ips=[{"ip_address": "198.51.100.1"}]) == "InvalidIpForNetwork"
    assert new_port(demo, network, 400, fixed_ips=[{"ip_address": "192.0.2.0"}]) == "InvalidIpForNetwork"
    assert new_port(demo, network, fixed_ips=[])["fixed_ips"] == []


def test_both_families_and_addresses_that_follow_from_the_mac(demo: Client) -> None:
    network, _ = new_network(demo)
    modes = {"ipv6_ra_mode": "slaac", "ipv6_address_mode": "slaac"}
    body = {"network_id": network, "cidr": "2001:db8::/64", "ip_version": 6, **modes}
    demo("POST", "/subnets", {"subnet": body}, 201)
    port = new_port(demo, network, mac_address="fa:16:3e:00:00:01")
    assert [fixed["ip_address"] for fixed in port["fixed_ips"]] == ["192.0.2.2", "2001:db8::f816:3eff:fe00:1"]


def test_macs_are_unique_on_a_network(demo: Client) -> None:
    network, _ = new_network(demo)
    new_port(demo, network, mac_address="fa:16:3e:00:00:01")
    assert new_port(demo, network, 409, mac_address="FA:16:3E:00:00:01") == "MacAddressInUse"
    assert new_port(demo, network, 400, mac_address="01:00:00:00:00:01") == "InvalidInput"


def test_a_port_is_active_where_it_is_bound(demo: Client, admin: Client) -> None:
    network, _ = new_network(demo)
    port = new_port(demo, network)
    demo.refused("PUT", f"/ports/{port['id']}", {"port": {"binding:host_id": "h"}}, 403)
    bind = {"port": {"binding:host_id": "h", "device_id": "server", "device_owner": "compute:nova"}}
    bound = admin("PUT", f"/ports/{port['id']}", bind)["port"]
    assert (bound["status"], bound["binding:vif_type"]) == ("ACTIVE", "user")
    (found,) = admin("GET", "/ports?device_id=server&fields=id&fields=status")["ports"]
    assert found == {"id": port["id"], "status": "ACTIVE"}
    free = {"port": {"binding:host_id": None, "device_id": "", "device_owner": ""}}
    assert admin("PUT", f"/ports/{port['id']}", free)["port"]["binding:vif_type"] == "unbound"


def test_groups_of_a_port(demo: Client, other: Client) -> None:
    network, _ = new_network(demo)
    (default,) = demo("GET", "/security-groups")["security_groups"]
    assert new_port(demo, network)["security_groups"] == [default["id"]]
    assert new_port(demo, network, port_security_enabled=False)["security_groups"] == []
    foreign = other("GET", "/security-groups")["security_groups"][0]["id"]
    assert new_port(demo, network, 404, security_groups=[foreign]) == "SecurityGroupNotFound"
    assert demo.refused("DELETE", f"/security-groups/{default['id']}", None, 409) == "SecurityGroupCannotRemoveDefault"


def test_quota_of_ports(demo: Client, admin: Client) -> None:
    admin("PUT", "/quotas/p-demo", {"quota": {"port": 1}})
    network, _ = new_network(demo)
    new_port(demo, network)
    assert new_port(demo, network, 409) == "OverQuota"
    assert demo("GET", "/quotas/p-demo/details.json")["quota"]["port"] == {"limit": 1, "used": 1, "reserved": 0}
    admin("DELETE", "/quotas/p-demo", status=204)
    new_port(demo, network)


def test_a_quota_below_what_is_used_is_refused_where_it_is_to_be_looked_at(demo: Client, admin: Client) -> None:
    network, _ = new_network(demo)
    for _ in range(2):
        new_port(demo, network)

    def wants(**quota: object) -> dict[str, object]:
        return {"quota": quota}

    assert admin.refused("PUT", "/quotas/p-demo", wants(port=1, check_limit=True), 400) == "HTTPBadRequest"
    for fits in (2, -1):  # as the stock client's `quota set` asks
        answer = admin("PUT", "/quotas/p-demo", wants(port=fits, check_limit=True))
        assert answer["quota"]["port"] == fits and "check_limit" not in answer["quota"]
    for unlooked in ({"force": True}, {"check_limit": False}, {}):
        assert admin("PUT", "/quotas/p-demo", wants(port=1, **unlooked))["quota"]["port"] == 1
    assert admin.refused("PUT", "/quotas/p-demo", wants(port=1, check_limit="perhaps"), 400)


def test_a_network_with_ports_stays(demo: Client) -> None:
    network, subnet = new_network(demo)
    port = new_port(demo, network)
    assert demo.refused("DELETE", f"/networks/{network}", None, 409) == "NetworkInUse"
    assert demo.refused("DELETE", f"/subnets/{subnet}", None, 409) == "SubnetInUse"
    demo("DELETE", f"/ports/{port['id']}", status=204)
    demo("DELETE", f"/networks/{network}", status=204)
    demo("GET", f"/subnets/{subnet}", status=404)


def test_only_the_revision_that_was_seen_is_changed(demo: Client) -> None:
    """As Neutron's extension ``revision-if-match``."""
    network, _ = new_network(demo)
    port = new_port(demo, network)
    path, body = f"/ports/{port['id']}", {"port": {"name": "web"}}

    def matching(value: str, method: str = "PUT", status: int = 200) -> Any:
        return demo(method, path, body if method == "PUT" else None, status, {"If-Match": value})

    seen = f"revision_number={port['revision_number']}"
    assert matching(seen)["port"]["revision_number"] == port["revision_number"] + 1
    for method in ("PUT", "DELETE"):
        error = matching(seen, method, 412)["NeutronError"]
        assert error["type"] == "RevisionNumberConstraintFailed" and "current revision is 1" in error["message"]
    for strange in ("*", '"abc"', "revision_number=", "revision_number=-1", "revision_number=1; x"):
        assert matching(strange, status=400)["NeutronError"]["type"] == "HTTPBadRequest"
    matching("revision_number=1", "DELETE", 204)
