"""Preparers of what makes, uses or needs images of servers: snapshots, rebuild, rescue, shelving."""

from __future__ import annotations

import dataclasses
from typing import Any

from tests.harness.contract import material, substitute
from tests.harness.contract.material import Call
from tests.harness.contract.prepare import Prepared, preparer
from tests.harness.contract.world import Lacking, World

_ACTION = "POST /servers/{id}/action"
_SHELVES = ("SHELVED", "SHELVED_OFFLOADED")


def _prepared(world: World, call: Call, server: str, body: Any, ends: str) -> Prepared:
    def wait(reply_body: Any) -> None:
        world.wait(server, ends)

    return Prepared("POST", f"/v2.1/servers/{server}/action", body, call.status, call.response, None, wait)


@preparer(f"{_ACTION} createImage", f"{_ACTION} createBackup")
def _image(world: World, call: Call) -> Prepared:
    return _prepared(world, call, world.subject("ACTIVE"), material.sample(call.request or ""), "ACTIVE")


@preparer(f"{_ACTION} rebuild")
def _rebuild(world: World, call: Call) -> Prepared:
    ids = dataclasses.replace(world.ids(call.role), key_name=world.keypair(call.role))
    body = substitute.request(material.sample(call.request or ""), ids)
    return _prepared(world, call, world.subject("ACTIVE"), body, "ACTIVE")


@preparer(f"{_ACTION} rescue")
def _rescue(world: World, call: Call) -> Prepared:
    body = substitute.request(material.sample(call.request or ""), world.ids(call.role))
    return _prepared(world, call, world.subject("ACTIVE"), body, "RESCUE")


@preparer(f"{_ACTION} unrescue")
def _unrescue(world: World, call: Call) -> Prepared:
    return _prepared(world, call, world.subject("RESCUE"), material.sample(call.request or ""), "ACTIVE")


@preparer(f"{_ACTION} shelve")
def _shelve(world: World, call: Call) -> Prepared:
    server = world.subject("ACTIVE")

    def wait(reply_body: Any) -> None:
        world.wait(server, *_SHELVES)

    body = material.sample(call.request or "")
    return Prepared("POST", f"/v2.1/servers/{server}/action", body, call.status, call.response, None, wait)


@preparer(f"{_ACTION} shelveOffload")
def _shelve_offload(world: World, call: Call) -> Prepared:
    server = _shelved(world)
    if world.show(server)["status"] != "SHELVED":
        raise Lacking("a shelved server on its host ([DEFAULT] shelved_offload_time is 0)")
    return _prepared(world, call, server, material.sample(call.request or ""), "SHELVED_OFFLOADED")


@preparer(f"{_ACTION} unshelve")
def _unshelve(world: World, call: Call) -> Prepared:
    body = material.sample(call.request or "")
    if call.status != 400:  # of Nova's sample test: a host that is not there
        body = substitute.request(body, world.ids(call.role))
    server = _shelved(world)
    if world.show(server)["status"] == "SHELVED":
        world.must("admin", "POST", f"/v2.1/servers/{server}/action", {"shelveOffload": None})
        world.wait(server, "SHELVED_OFFLOADED")
    return _prepared(world, call, server, body, "ACTIVE")


def _shelved(world: World) -> str:
    """The subject, shelved: still on its host where the cloud leaves it there."""
    server = world.subject("ACTIVE")
    world.must("member", "POST", f"/v2.1/servers/{server}/action", {"shelve": None})
    world.wait(server, *_SHELVES)
    return server
