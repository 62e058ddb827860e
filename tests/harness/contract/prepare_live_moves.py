"""Preparers of live migrations, of what is read and asked of one under way, and of evacuations."""

from __future__ import annotations

import time
from typing import Any

from tests.harness.contract import material
from tests.harness.contract.material import Call
from tests.harness.contract.prepare import Prepared, plain, preparer
from tests.harness.contract.world import Lacking, World, WorldError

_ACTION = "POST /servers/{id}/action "
_MIGRATIONS = "/servers/{server_id}/migrations"


def _home(world: World, server: str) -> str:
    return str(world.show(server)["OS-EXT-SRV-ATTR:host"])


def _other_host(world: World, server: str) -> str:
    services = world.must("admin", "GET", "/v2.1/os-services?binary=nova-compute").body["services"]
    home = _home(world, server)
    others = [each["host"] for each in services if each["host"] != home and each["state"] == "up"]
    if not others:
        raise Lacking("a second host")
    return str(others[0])


def _under_way(world: World, server: str) -> dict[str, Any]:
    """Begin a live migration; what is shown of it once its memory goes over."""
    body = {"os-migrateLive": {"host": None, "block_migration": "auto"}}
    world.must("admin", "POST", f"/v2.1/servers/{server}/action", body, "2.68")
    while True:
        found = world.must("admin", "GET", f"/v2.1/servers/{server}/migrations", version="2.80").body["migrations"]
        if found and found[0]["status"] == "running" and found[0]["memory_total_bytes"]:
            return dict(found[0])
        if world.show(server)["OS-EXT-STS:task_state"] is None:
            raise Lacking("a live migration that takes long enough to be seen")
        world.sleep(0.01)


@preparer(_ACTION + "os-migrateLive")
def _migrate(world: World, call: Call) -> Prepared:
    server = world.subject("ACTIVE")
    body = material.sample(call.request or "")
    if call.status == 202:  # Nova's own tests meet the 400 with a host that does not exist, as the sample's here
        body["os-migrateLive"]["host"] = _other_host(world, server)

    def wait(reply_body: Any) -> None:
        world.wait(server, "ACTIVE")

    return Prepared("POST", f"/v2.1/servers/{server}/action", body, call.status, None, None, wait)


@preparer(
    f"GET {_MIGRATIONS}",
    f"GET {_MIGRATIONS}/{{id}}",
    f"DELETE {_MIGRATIONS}/{{id}}",
    f"POST {_MIGRATIONS}/{{id}}/action force_complete",
)
def _of_one(world: World, call: Call) -> Prepared:
    """A 404 is an unknown number, a 400 one that has ended; both while another one is under way."""
    server = world.subject("ACTIVE")
    if call.status == 404 and call.operation.startswith("GET"):  # before there was such a call
        return plain(world, call, f"/v2.1/servers/{server}/migrations{'/1' * call.operation.endswith('{id}')}")
    earlier = _ended(world, server) if call.status == 400 else None
    shown = _under_way(world, server)
    number = {400: earlier, 404: 0}.get(call.status, shown["id"])
    path = f"/v2.1/servers/{server}/migrations"
    method, template = call.operation.split()[:2]
    if template != _MIGRATIONS:
        path += f"/{number}"
    if call.operation.endswith("force_complete"):
        path += "/action"

    def wait(reply_body: Any) -> None:
        world.wait(server, "ACTIVE")

    if method == "POST":
        return Prepared(method, path, material.sample(call.request or ""), call.status, None, None, wait)
    prepared = plain(world, call, path)
    return Prepared(method, prepared.path, None, call.status, call.response, None, wait)


def _ended(world: World, server: str) -> int:
    """The number of a live migration that is over."""
    number = int(_under_way(world, server)["id"])
    world.wait(server, "ACTIVE")
    return number


@preparer(_ACTION + "evacuate")
def _evacuate(world: World, call: Call) -> Prepared:
    server = world.new_server()
    home = _home(world, server)
    body = material.sample(call.request or "")
    if "host" in body["evacuate"]:
        body["evacuate"]["host"] = _other_host(world, server)
    _force_down(world, home, True)

    def after(reply_body: Any) -> None:
        world.wait(server, "SHUTOFF" if call.version >= (2, 95) else "ACTIVE")
        _clear_away(world, home)
        _force_down(world, home, False)
        world.delete(server)

    return Prepared("POST", f"/v2.1/servers/{server}/action", body, call.status, call.response, None, after)


def _clear_away(world: World, host: str) -> None:
    """Until a host that was called dead, and never was, has removed what was evacuated from it."""
    path = f"/v2.1/os-migrations?status=done&migration_type=evacuation&source_compute={host}"
    deadline = time.monotonic() + world.timeout_s
    while world.must("admin", "GET", path, version="2.59").body["migrations"]:
        if time.monotonic() > deadline:
            raise WorldError(f"{host} keeps what was evacuated from it")
        world.sleep(0.05)


def _force_down(world: World, host: str, down: bool) -> None:
    """Say that a host is dead: nobody may evacuate from one that lives."""
    body = {"host": host, "binary": "nova-compute", "forced_down": down}
    world.must("admin", "PUT", "/v2.1/os-services/force-down", body, "2.11")
