"""Preparers of resizes and cold migrations, and of the list of all migrations."""

from __future__ import annotations

import datetime
from typing import Any

from tests.harness.contract import material
from tests.harness.contract.material import Call
from tests.harness.contract.prepare import Prepared, plain, preparer
from tests.harness.contract.world import World

_ACTION = "POST /servers/{id}/action "


def _other_flavor(world: World) -> str:
    """A flavor of its own for this call, as large as the world's."""
    name = world.unique("flavor-")
    body = {"flavor": {"name": name, "ram": 64, "vcpus": 1, "disk": 1, "id": name}}
    world.must("admin", "POST", "/v2.1/flavors", body)
    world.adopt_flavor(name)
    return name


def _resized(world: World) -> str:
    """A server of its own for this call, which waits for a word."""
    server = world.new_server()
    body = {"resize": {"flavorRef": _other_flavor(world)}}
    world.must("member", "POST", f"/v2.1/servers/{server}/action", body, "2.1")
    world.wait(server, "VERIFY_RESIZE")
    return server


def _prepared(world: World, call: Call, server: str, body: Any, ends: str) -> Prepared:
    def after(reply_body: Any) -> None:
        world.wait(server, ends)
        world.delete(server)

    return Prepared("POST", f"/v2.1/servers/{server}/action", body, call.status, call.response, None, after)


@preparer(_ACTION + "resize")
def _resize(world: World, call: Call) -> Prepared:
    body = material.sample(call.request or "")
    body["resize"]["flavorRef"] = _other_flavor(world)
    return _prepared(world, call, world.new_server(), body, "VERIFY_RESIZE")


@preparer(_ACTION + "confirmResize", _ACTION + "revertResize")
def _end(world: World, call: Call) -> Prepared:
    return _prepared(world, call, _resized(world), material.sample(call.request or ""), "ACTIVE")


@preparer(_ACTION + "migrate")
def _migrate(world: World, call: Call) -> Prepared:
    server = world.new_server()
    body = material.sample(call.request or "")
    if body["migrate"] is not None:
        here = world.show(server)["OS-EXT-SRV-ATTR:host"]
        services = world.must("admin", "GET", "/v2.1/os-services?binary=nova-compute").body["services"]
        others = [each["host"] for each in services if each["host"] != here and each["state"] == "up"]
        body["migrate"]["host"] = others[0] if others else here
    return _prepared(world, call, server, body, "VERIFY_RESIZE")


@preparer("GET /os-migrations")
def _list(world: World, call: Call) -> Prepared:
    server = _resized(world)
    again = {"resize": {"flavorRef": _other_flavor(world)}}
    for body, status in (({"revertResize": None}, "ACTIVE"), (again, "VERIFY_RESIZE")):
        world.must("member", "POST", f"/v2.1/servers/{server}/action", body, "2.1")
        world.wait(server, status)
    moves = world.must("admin", "GET", "/v2.1/os-migrations", version="2.80").body["migrations"]
    hour = datetime.timedelta(hours=-1 if "since" in (call.query or "") else 1)
    moment = datetime.datetime.fromisoformat(moves[0]["created_at"]) + hour
    values = {
        "changes-since": moment.isoformat(), "changes-before": moment.isoformat(), "marker": moves[0]["uuid"],
        "user_id": moves[0]["user_id"], "project_id": moves[0]["project_id"],
    }  # fmt: skip
    prepared = plain(world, call, "/v2.1/os-migrations", **values)
    world.delete(server)
    return prepared
