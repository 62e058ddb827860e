"""Preparers of what is said about a server (metadata, tags, password, diagnostics, topology) and of a few actions."""

from __future__ import annotations

import time
from typing import Any

from tests.harness.contract import material
from tests.harness.contract.material import Call
from tests.harness.contract.prepare import Prepared, plain, preparer
from tests.harness.contract.world import World, WorldError

_SERVER = "/v2.1/servers/"


def _reply(call: Call, path: str, **more: Any) -> Prepared:
    body = material.sample(call.request) if call.request else None
    return Prepared(call.operation.split()[0], path, body, call.status, call.response, **more)


@preparer(
    "GET /servers/{server_id}/metadata", "POST /servers/{server_id}/metadata", "PUT /servers/{server_id}/metadata",
    "GET /servers/{server_id}/metadata/{id}", "PUT /servers/{server_id}/metadata/{id}",
    "DELETE /servers/{server_id}/metadata/{id}",
)  # fmt: skip
def _metadata(world: World, call: Call) -> Prepared:
    path = f"{_SERVER}{world.subject('ACTIVE')}/metadata"
    world.must("member", "POST", path, {"metadata": {"foo": "Foo Value"}})
    return _reply(call, f"{path}/foo" if call.operation.endswith("{id}") else path)


@preparer(
    "GET /servers/{server_id}/tags", "PUT /servers/{server_id}/tags", "DELETE /servers/{server_id}/tags",
    "GET /servers/{server_id}/tags/{id}", "PUT /servers/{server_id}/tags/{id}",
    "DELETE /servers/{server_id}/tags/{id}",
)  # fmt: skip
def _tags(world: World, call: Call) -> Prepared:
    path = f"{_SERVER}{world.subject('ACTIVE')}/tags"
    world.must("member", "PUT", path, {"tags": ["tag1", "tag2"]}, "2.26")
    tag = "tag3" if call.status == 201 else "tag1"

    def clear(reply_body: Any) -> None:
        world.must("member", "DELETE", path, version="2.26")

    return _reply(call, f"{path}/{tag}" if call.operation.endswith("{id}") else path, after=clear)


@preparer("GET /servers/{server_id}/os-server-password", "DELETE /servers/{server_id}/os-server-password")
def _password(world: World, call: Call) -> Prepared:
    return plain(world, call, f"{_SERVER}{world.subject('ACTIVE')}/os-server-password")


@preparer("GET /servers/{server_id}/diagnostics")
def _diagnostics(world: World, call: Call) -> Prepared:
    path = f"{_SERVER}{world.subject('ACTIVE')}/diagnostics"
    if call.version >= (2, 48):
        return plain(world, call, path)
    note = "to 2.47 the names are the driver's own: as many as there are devices"
    return Prepared("GET", path, None, call.status, None, note)


@preparer("GET /servers/{server_id}/topology")
def _topology(world: World, call: Call) -> Prepared:
    """A server of a flavor that asks for two nodes; no CPU is pinned here, so nothing is a sibling of another."""
    name = world.unique("numa-")
    flavor = {"flavor": {"name": name, "id": name, "ram": 128, "vcpus": 4, "disk": 1}}
    world.must("admin", "POST", "/v2.1/flavors", flavor)
    world.adopt_flavor(name)
    specs = {"extra_specs": {"hw:numa_nodes": "2", "hw:mem_page_size": "small"}}
    world.must("admin", "POST", f"/v2.1/flavors/{name}/os-extra_specs", specs)
    server = world.new_server(flavor=name)
    note = "no CPU is pinned: siblings and cpu_pinning are empty, judged by the contract's fields"
    return Prepared(
        "GET", f"{_SERVER}{server}/topology", None, call.status, None, note, lambda body: world.delete(server)
    )


@preparer("POST /servers/{id}/action changePassword", "POST /servers/{id}/action trigger_crash_dump")
def _inside(world: World, call: Call) -> Prepared:
    server = world.subject("ACTIVE")

    def wait(reply_body: Any) -> None:
        world.wait(server, "ACTIVE")

    return _reply(call, f"{_SERVER}{server}/action", after=wait)


@preparer("POST /servers/{id}/action restore")
def _restore(world: World, call: Call) -> Prepared:
    server = world.new_server()
    world.must("member", "DELETE", _SERVER + server)
    if not _rests_deleted(world, server):
        note = "this cloud deletes at once ([DEFAULT] reclaim_instance_interval is 0): nothing is left to restore"
        return Prepared("POST", f"{_SERVER}{server}/action", {"restore": None}, 404, None, note)

    def end(reply_body: Any) -> None:
        world.wait(server, "ACTIVE")
        world.delete(server)

    return _reply(call, f"{_SERVER}{server}/action", after=end)


def _rests_deleted(world: World, server: str) -> bool:
    """Whether a deleted server waits to be restored; False once it is gone."""
    deadline = time.monotonic() + world.timeout_s
    while time.monotonic() < deadline:
        reply = world.endpoint.call("admin", "GET", _SERVER + server)
        if reply.status == 404:
            return False
        shown = reply.body["server"]
        if shown["status"] == "SOFT_DELETED" and shown["OS-EXT-STS:task_state"] is None:
            return True
        world.sleep(0.05)
    raise WorldError(f"server {server} is neither gone nor soft-deleted {world.timeout_s} s after its delete")
