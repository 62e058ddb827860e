"""Preparers of a server's interfaces and security groups. They need the network service beside the compute API."""

from __future__ import annotations

from typing import Any

from tests.harness.contract import material
from tests.harness.contract.material import Call
from tests.harness.contract.prepare import Prepared, preparer
from tests.harness.contract.world import Lacking, World

_SERVERS = "/v2.1/servers"
_ADDRESS = "the address and the ids of network and port are this world's own"


def _network(world: World) -> str:
    if world.network is None or world.neutron is None:
        raise Lacking("a network service")
    return world.network


def _port(world: World) -> dict[str, Any]:
    assert world.neutron is not None
    made = world.neutron("POST", "ports", {"port": {"network_id": _network(world)}})
    return dict(made["port"])


def _drop_port(world: World, port: str) -> None:
    assert world.neutron is not None
    world.neutron("DELETE", f"ports/{port}", None)


def _free_address(world: World) -> str:
    port = _port(world)
    _drop_port(world, port["id"])
    return str(port["fixed_ips"][0]["ip_address"])


def _server(world: World, tag: str = "public") -> str:
    """A server whose only interface has a tag."""
    body = {
        "name": world.unique("replay-"), "imageRef": world.image, "flavorRef": world.flavor(),
        "networks": [{"uuid": _network(world), "tag": tag}],
    }  # fmt: skip
    server = str(world.must("member", "POST", _SERVERS, {"server": body}, "2.42").body["server"]["id"])
    world.wait(server, "ACTIVE")
    return server


def _attached(world: World, server: str) -> str:
    path = f"{_SERVERS}/{server}/os-interface"
    return str(world.must("member", "GET", path).body["interfaceAttachments"][0]["port_id"])


@preparer(
    "GET /servers/{server_id}/os-interface", "GET /servers/{server_id}/os-interface/{id}",
    "DELETE /servers/{server_id}/os-interface/{id}",
)  # fmt: skip
def _interfaces(world: World, call: Call) -> Prepared:
    server = _server(world)
    path = f"{_SERVERS}/{server}/os-interface"
    if call.operation.endswith("{id}"):
        path += f"/{_attached(world, server)}"
    method = call.operation.split()[0]
    return Prepared(method, path, None, call.status, call.response, after=lambda body: world.delete(server))


@preparer("POST /servers/{server_id}/os-interface")
def _attach(world: World, call: Call) -> Prepared:
    server = _server(world)
    body = material.sample(call.request or "")
    wanted, port = body["interfaceAttachment"], None
    if "net_id" in wanted:
        wanted["net_id"] = _network(world)
        wanted["fixed_ips"] = [{"ip_address": _free_address(world)}]
    else:
        wanted["port_id"] = port = _port(world)["id"]

    def clear(reply_body: Any) -> None:
        world.delete(server)
        world.reap(keep=0)
        if port is not None:
            _drop_port(world, port)

    path = f"{_SERVERS}/{server}/os-interface"
    return Prepared("POST", path, body, call.status, call.response, _ADDRESS, clear)


@preparer("GET /servers/{server_id}/os-security-groups")
def _groups(world: World, call: Call) -> Prepared:
    _network(world)
    path = f"{_SERVERS}/{world.subject('ACTIVE')}/os-security-groups"
    return Prepared("GET", path, None, call.status, call.response)


@preparer("POST /servers/{id}/action addSecurityGroup", "POST /servers/{id}/action removeSecurityGroup")
def _change_groups(world: World, call: Call) -> Prepared:
    _network(world)
    assert world.neutron is not None
    server = _server(world)
    body = material.sample(call.request or "")
    (action,) = body
    body[action]["name"] = name = world.unique("group-")
    group = world.neutron("POST", "security-groups", {"security_group": {"name": name}})["security_group"]["id"]
    if action == "removeSecurityGroup":
        world.must("member", "POST", f"{_SERVERS}/{server}/action", {"addSecurityGroup": {"name": name}})

    def clear(reply_body: Any) -> None:
        world.delete(server)
        world.reap(keep=0)
        assert world.neutron is not None
        world.neutron("DELETE", f"security-groups/{group}", None)

    return Prepared("POST", f"{_SERVERS}/{server}/action", body, call.status, None, after=clear)
