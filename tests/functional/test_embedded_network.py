"""Stock clients and our own network client against the embedded network service, over real HTTP with real tokens."""

from __future__ import annotations

import pathlib
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import openstack
import pytest
import requests
from oslo_config import cfg

from nova_lite import exception
from nova_lite.conf import embedded, neutron, service_auth
from nova_lite.conf import network as network_options
from nova_lite.context import RequestContext
from nova_lite.identity import sessions
from nova_lite.network import loader
from nova_lite.network.neutron import Neutron
from nova_lite.objects import Flavor, Instance, NetworkRequest
from tests.harness import embedded_cloud
from tests.harness.embedded_cloud import EmbeddedCloud

pytestmark = pytest.mark.processes


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedCloud]:
    with embedded_cloud.running(tmp_path_factory.mktemp("network"), "threading") as running:
        yield running


@pytest.fixture(scope="module")
def demo(cloud: EmbeddedCloud) -> Any:
    return cloud.sdk()


def _conf(cloud: EmbeddedCloud) -> cfg.ConfigOpts:
    conf = cfg.ConfigOpts()
    conf([])
    conf.register_opts([cfg.StrOpt("state_path", default=str(cloud.state))])
    for group in (embedded, neutron, network_options, service_auth):
        group.register(conf)
    conf.set_override("backend", "neutron", "network")
    conf.set_override("auth_url", cloud.auth_url, "service_auth")
    conf.set_override("password", cloud.passwords["nova"], "service_auth")
    return conf


def test_the_command_line(cloud: EmbeddedCloud) -> None:
    (network,) = cloud.json("network", "list")
    assert network["Name"] == "private"
    made = cloud.json("network", "create", "cli-net")
    subnet = cloud.json("subnet", "create", "--network", "cli-net", "--subnet-range", "192.0.2.0/24", "cli-subnet")
    assert (subnet["network_id"], subnet["gateway_ip"]) == (made["id"], "192.0.2.1")
    port = cloud.json("port", "create", "--network", "cli-net", "--fixed-ip", "ip-address=192.0.2.7", "cli-port")
    assert port["fixed_ips"][0]["ip_address"] == "192.0.2.7"
    cloud.json("security", "group", "create", "cli-group")
    rule = cloud.json("security", "group", "rule", "create", "--dst-port", "22", "--protocol", "tcp", "cli-group")
    assert (rule["port_range_min"], rule["direction"]) == (22, "ingress")
    assert cloud.cli("port", "delete", "cli-port").returncode == 0
    assert cloud.cli("network", "delete", "cli-net").returncode == 0


def test_the_sdk(cloud: EmbeddedCloud, demo: Any) -> None:
    network = demo.network.create_network(name="sdk", mtu=1400)
    subnet = demo.network.create_subnet(network_id=network.id, ip_version=4, cidr="198.51.100.0/28")
    ports = [demo.network.create_port(network_id=network.id, name=f"p{number}") for number in range(5)]
    assert {each.id for each in demo.network.ports(network_id=network.id, limit=2)} == {port.id for port in ports}
    demo.network.set_tags(network, ["red"])
    assert [each.name for each in demo.network.networks(tags="red")] == ["sdk"]
    demo.network.update_port(ports[0], name="renamed")
    assert demo.network.find_port("renamed").id == ports[0].id
    assert demo.network.find_extension("security-group").alias == "security-group"
    with pytest.raises(openstack.exceptions.ConflictException, match="still in use"):
        demo.network.delete_network(network)
    with pytest.raises(openstack.exceptions.ForbiddenException):
        demo.network.update_network(network, is_shared=True)
    for port in ports:
        demo.network.delete_port(port)
    demo.network.delete_subnet(subnet)
    demo.network.delete_network(network)
    assert demo.network.find_network("sdk") is None


def test_who_has_no_token_sees_versions_only(cloud: EmbeddedCloud) -> None:
    base = f"http://127.0.0.1:{cloud.network_port}"
    assert requests.get(base, timeout=10).json()["versions"][0]["id"] == "v2.0"
    assert requests.get(f"{base}/v2.0/networks", timeout=10).status_code == 401
    forged = {"X-Identity-Status": "Confirmed", "X-Roles": "admin", "X-Project-Id": "p"}
    assert requests.get(f"{base}/v2.0/networks", headers=forged, timeout=10).status_code == 401


def test_our_client_makes_finds_and_deletes_ports(cloud: EmbeddedCloud, demo: Any) -> None:
    network = loader.load(_conf(cloud))
    project = demo.current_project_id
    user = RequestContext(overwrite=False, auth_token=demo.auth_token, project_id=project, roles=["member"])
    server = Instance("server-1", project, "u", "web", "building", Flavor("1", "f", 1, 1, 1), host="host1")
    wanted = network.validate(user, (NetworkRequest(),), ("default",))
    (vif,) = network.allocate(user, server, wanted.requests, wanted.group_ids)
    assert (vif.label, vif.type, vif.active) == ("private", "user", True)
    port = demo.network.get_port(vif.id)
    assert (port.device_id, port.device_owner, port.status) == ("server-1", "compute:", "ACTIVE")
    network.deallocate(user, server)
    assert demo.network.find_port(vif.id) is None
    stale = RequestContext(overwrite=False, auth_token="stale", project_id=project, roles=["member"])
    with pytest.raises(exception.Unauthorized):
        network.validate(stale, (NetworkRequest(),))


def test_ports_survive_a_kill(tmp_path: pathlib.Path) -> None:
    with embedded_cloud.running(tmp_path, "eventlet") as cloud:
        demo = cloud.sdk()
        port = demo.network.create_port(network_id=demo.network.find_network("private").id, name="kept")
        cloud.kill()
        cloud.start()
        assert cloud.sdk().network.find_port("kept").mac_address == port.mac_address


def test_a_network_service_that_never_answers_is_waited_for_so_long(cloud: EmbeddedCloud) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        threading.Thread(target=lambda: [silent.accept() for _ in range(4)], daemon=True).start()
        conf = _conf(cloud)
        conf.set_override("endpoint_override", f"http://127.0.0.1:{silent.getsockname()[1]}", "neutron")
        conf.set_override("timeout", 0.3, "neutron")
        sessions.forget()
        begun = time.monotonic()
        with pytest.raises(exception.Unavailable, match="does not answer"):
            Neutron(conf).list(None, "ports")
        assert 0.25 < time.monotonic() - begun < 5
