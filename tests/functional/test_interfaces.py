"""Interfaces and security groups of servers, over the API, with the embedded network service behind the cloud."""

from __future__ import annotations

import pathlib
from collections.abc import Iterator
from typing import Any

import pytest

from nova_lite.db.api import instances
from nova_lite.network.vifs import is_made
from nova_lite.virt.fault_plan import FaultKind, FaultRule
from tests.harness.cloud import ADMIN, PROJECT, STRANGER, Cloud, until


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    directory: pathlib.Path = tmp_path_factory.mktemp("interfaces")
    with Cloud(directory, hosts=2) as running:
        yield running


@pytest.fixture
def network(cloud: Cloud) -> Iterator[str]:
    """A network of the project's own; it goes with its ports."""
    made = cloud.networks.new_network("nobody", cidr="198.51.100.0/24", name="mine", project_id=PROJECT)
    yield made
    for port in cloud.networks.store.where("port", "network_id", made):
        cloud.networks.ask("a", "DELETE", f"ports/{port['id']}", roles="admin")
    cloud.networks.ask("a", "DELETE", f"networks/{made}", roles="admin")


def _boot(cloud: Cloud, **server: Any) -> Any:
    """A server on the first network."""
    return cloud.boot(networks=[{"uuid": cloud.networks.first_network()}], **server)


def _gone(cloud: Cloud, server: str) -> None:
    cloud.delete(f"/servers/{server}", token=ADMIN)
    cloud.wait_gone(server)
    assert cloud.networks.ports_of(server) == []


def _attach(cloud: Cloud, server: str, status: int = 200, version: str = "2.70", **wanted: Any) -> Any:
    body = {"interfaceAttachment": wanted}
    answer = cloud.post(f"/servers/{server}/os-interface", body, version=version)
    assert answer.status == status, answer.body
    return answer.json["interfaceAttachment"] if status == 200 else next(iter(answer.json.values()))["message"]


def _detached(cloud: Cloud, server: str, port: str) -> None:
    assert cloud.delete(f"/servers/{server}/os-interface/{port}").status == 202
    until(lambda: port not in _ports(cloud, server), 10, lambda: f"{port} is still attached")
    cloud.wait_quiet()


def _ports(cloud: Cloud, server: str) -> list[str]:
    return [vif.id for vif in instances.get(server).network_info]


def test_attach_list_show_detach(cloud: Cloud, network: str) -> None:
    server = _boot(cloud)["id"]
    made = _attach(cloud, server, net_id=network, fixed_ips=[{"ip_address": "198.51.100.9"}], tag="nic")
    assert (made["port_state"], made["net_id"], made["tag"]) == ("ACTIVE", network, "nic")
    assert made["fixed_ips"][0]["ip_address"] == "198.51.100.9"
    path = f"/servers/{server}/os-interface"
    listed = cloud.get(path, version="2.70").json["interfaceAttachments"]
    assert len(listed) == 2 and listed[1] == made
    assert "tag" not in cloud.get(f"{path}/{made['port_id']}", version="2.69").json["interfaceAttachment"]
    shown = cloud.show(server)
    assert shown is not None and set(shown["addresses"]) == {"private", "mine"}
    assert cloud.get(f"/servers/{server}/ips/mine").json == {"mine": [{"addr": "198.51.100.9", "version": 4}]}
    host = cloud.drivers[shown["OS-EXT-SRV-ATTR:host"]]
    assert host.guests[server].plugged == [made["port_id"]]
    _detached(cloud, server, made["port_id"])
    assert host.guests[server].plugged == [] and len(cloud.networks.ports_of(server)) == 1
    assert cloud.get(f"{path}/{made['port_id']}").status == 404
    _gone(cloud, server)


def test_a_users_port_goes_from_server_to_server(cloud: Cloud, network: str) -> None:
    port = cloud.networks.new_port(PROJECT, network)["id"]
    first = cloud.boot(networks=[{"port": port}])["id"]
    second = cloud.boot(networks="none")["id"]
    assert "is still in use" in _attach(cloud, second, 409, port_id=port)
    _detached(cloud, first, port)
    assert _attach(cloud, second, port_id=port)["port_id"] == port
    _gone(cloud, second)
    kept = cloud.networks.store.get("port", port)
    assert (kept["device_id"], kept["binding:host_id"], is_made(kept)) == ("", "", False)
    _gone(cloud, first)


def test_what_cannot_be_attached(cloud: Cloud, network: str) -> None:
    server = _boot(cloud)["id"]
    nobody = "11111111-2222-3333-4444-555555555555"
    cloud.networks.new_port(PROJECT, network, fixed_ips=[{"ip_address": "198.51.100.7"}])
    assert "Must not input both" in _attach(cloud, server, 400, net_id=network, port_id=nobody)
    assert "Must input network_id" in _attach(cloud, server, 400, fixed_ips=[{"ip_address": "198.51.100.8"}])
    assert "Multiple possible networks" in _attach(cloud, server, 400)
    assert nobody in _attach(cloud, server, 404, net_id=nobody)
    assert nobody in _attach(cloud, server, 404, port_id=nobody)
    taken = _attach(cloud, server, 409, net_id=network, fixed_ips=[{"ip_address": "198.51.100.7"}])
    assert "already in use" in taken
    wrong = _attach(cloud, server, 400, net_id=network, fixed_ips=[{"ip_address": "203.0.113.1"}])
    assert "not a valid IP" in wrong
    _attach(cloud, server, 400, version="2.48", net_id=network, tag="early")
    assert len(cloud.networks.ports_of(server)) == len(_ports(cloud, server)) == 1
    assert cloud.delete(f"/servers/{server}/os-interface/{nobody}").status == 404
    assert cloud.get(f"/servers/{server}/os-interface", token=STRANGER).status == 404
    _gone(cloud, server)


def test_a_hypervisor_that_fails_is_said_without_its_insides(cloud: Cloud, network: str) -> None:
    server = _boot(cloud)
    cloud.drivers[server["OS-EXT-SRV-ATTR:host"]].plan.add(FaultRule("attach_interface", FaultKind.RAISE, times=1))
    words = _attach(cloud, server["id"], 503, net_id=network)
    assert words == f"Failed to attach network adapter device to {server['id']}"
    cloud.wait_quiet()
    assert len(cloud.networks.ports_of(server["id"])) == 1
    _gone(cloud, server["id"])


def test_states_and_locks(cloud: Cloud, network: str) -> None:
    server = _boot(cloud)["id"]
    cloud.act(server, "lock")
    assert "is locked" in _attach(cloud, server, 409, net_id=network)
    cloud.act(server, "unlock")
    cloud.act(server, "suspend")
    cloud.wait(server, "SUSPENDED")
    assert "in vm_state suspended" in _attach(cloud, server, 409, net_id=network)
    cloud.act(server, "resume")
    cloud.wait(server, "ACTIVE")
    cloud.act(server, "os-stop")
    cloud.wait(server, "SHUTOFF")
    _attach(cloud, server, net_id=network)
    events = cloud.get(f"/servers/{server}/os-instance-actions").json["instanceActions"]
    assert events[0]["action"] == "attach_interface" and events[0]["message"] is None
    _gone(cloud, server)


def test_create_says_where(cloud: Cloud, network: str) -> None:
    server = cloud.boot(networks=[{"uuid": network, "fixed_ip": "198.51.100.77"}])
    assert [each["addr"] for each in server["addresses"]["mine"]] == ["198.51.100.77"]
    body = {"name": "x", "imageRef": server["image"]["id"], "flavorRef": "42"}

    def refused(status: int, **more: Any) -> str:
        answer = cloud.post("/servers", {"server": {**body, **more}})
        assert answer.status == status, answer.body
        return str(next(iter(answer.json.values()))["message"])

    nobody = "11111111-2222-3333-4444-555555555555"
    assert "could not be found" in refused(400, networks=[{"uuid": nobody}])
    assert "could not be found" in refused(400, networks=[{"port": nobody}])
    assert "already in use" in refused(400, networks=[{"uuid": network, "fixed_ip": "198.51.100.77"}])
    assert "Multiple possible networks found, use a Network ID" in refused(409, networks="auto")
    (port,) = cloud.networks.ports_of(server["id"])
    assert refused(409, networks=[{"port": port["id"]}]) == f"Port {port['id']} is still in use."
    groups = [{"name": "nonsense"}]
    wanted = [{"uuid": network}]
    assert "Security group nonsense not found" in refused(400, networks=wanted, security_groups=groups)
    bare = cloud.networks.ask(PROJECT, "POST", "networks", {"network": {}})["network"]["id"]
    assert "requires a subnet" in refused(400, networks=[{"uuid": bare}])
    cloud.networks.ask(PROJECT, "DELETE", f"networks/{bare}")
    _gone(cloud, server["id"])


def test_ports_have_a_quota(cloud: Cloud) -> None:
    used = len(cloud.networks.store.where("port", "project_id", PROJECT))
    cloud.networks.ask("a", "PUT", f"quotas/{PROJECT}", {"quota": {"port": used}}, "admin")
    body = {"name": "x", "imageRef": cloud.images.get(None, "70a599e0-31e7-49b7-b260-868f441e862b").id,
            "flavorRef": "42", "networks": "auto"}  # fmt: skip
    answer = cloud.post("/servers", {"server": body})
    assert (answer.status, answer.json["forbidden"]["message"]) == (403, "Maximum number of ports exceeded")
    cloud.networks.ask("a", "DELETE", f"quotas/{PROJECT}", roles="admin")


def test_tags_of_interfaces(cloud: Cloud, network: str) -> None:
    body = [{"uuid": network, "tag": "one"}, {"uuid": cloud.networks.first_network(), "tag": "two"}]
    server = cloud.boot(networks=body)["id"]
    listed = cloud.get(f"/servers/{server}/os-interface", version="2.70").json["interfaceAttachments"]
    assert [each["tag"] for each in listed] == ["one", "two"]
    _gone(cloud, server)


def test_security_groups(cloud: Cloud) -> None:
    made = cloud.networks.ask(PROJECT, "POST", "security-groups", {"security_group": {"name": "web"}})
    rule = {"security_group_id": made["security_group"]["id"], "direction": "ingress", "protocol": "tcp",
            "port_range_min": 80, "port_range_max": 81}  # fmt: skip
    cloud.networks.ask(PROJECT, "POST", "security-group-rules", {"security_group_rule": rule})
    server = _boot(cloud, security_groups=[{"name": "web"}])
    assert server["security_groups"] == [{"name": "web"}]
    uuid = server["id"]
    assert cloud.act(uuid, "addSecurityGroup", {"name": "default"}).status == 202
    shown = cloud.show(uuid)
    assert shown is not None and shown["security_groups"] == [{"name": "web"}, {"name": "default"}]
    assert cloud.act(uuid, "removeSecurityGroup", {"name": "default"}).status == 202
    (group,) = cloud.get(f"/servers/{uuid}/os-security-groups").json["security_groups"]
    assert group["name"] == "web" and group["tenant_id"] == PROJECT
    (kept,) = group["rules"]
    assert (kept["ip_protocol"], kept["from_port"], kept["to_port"]) == ("tcp", 80, 81)
    assert (kept["group"], kept["ip_range"]) == ({}, {"cidr": "0.0.0.0/0"})
    assert cloud.act(uuid, "removeSecurityGroup", {"name": "default"}).status == 404
    assert cloud.act(uuid, "addSecurityGroup", {"name": "nonsense"}).status == 404
    assert cloud.act(uuid, "addSecurityGroup", {"name": ""}).status == 400
    _gone(cloud, uuid)


def test_a_server_without_interfaces_shows_no_groups(cloud: Cloud) -> None:
    answer = cloud.boot(wait=None, networks="none")
    assert answer["security_groups"] == [{"name": "default"}]
    shown = cloud.wait(answer["id"], "ACTIVE")
    assert "security_groups" not in shown and shown["addresses"] == {}
    assert cloud.get(f"/servers/{answer['id']}/os-security-groups").json == {"security_groups": []}
    _gone(cloud, answer["id"])


def test_reading_servers_asks_no_other_service(cloud: Cloud) -> None:
    server = _boot(cloud)["id"]
    before = len(cloud.networks.plan.calls)
    for path in (f"/servers/{server}", "/servers/detail", f"/servers/{server}/ips"):
        assert cloud.get(path).status == 200
    assert len(cloud.networks.plan.calls) == before
    _gone(cloud, server)
