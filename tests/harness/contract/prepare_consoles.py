"""Preparers of remote consoles and their tokens."""

from __future__ import annotations

from tests.harness.contract import material
from tests.harness.contract.material import Call
from tests.harness.contract.prepare import Prepared, plain, preparer
from tests.harness.contract.world import World

_SERIAL = {"remote_console": {"protocol": "serial", "type": "serial"}}


@preparer("POST /servers/{id}/action os-getVNCConsole")
def _vnc(world: World, call: Call) -> Prepared:
    # The 409 of Nova's sample test is a server that is not ready: here one that no host would take.
    server = world.homeless_server() if call.status == 409 else world.subject("ACTIVE")
    body = material.sample(call.request or "")
    return Prepared("POST", f"/v2.1/servers/{server}/action", body, call.status, call.response)


@preparer("POST /servers/{server_id}/remote-consoles")
def _create(world: World, call: Call) -> Prepared:
    body = material.sample(call.request or "")
    path = f"/v2.1/servers/{world.subject('ACTIVE')}/remote-consoles"
    return Prepared("POST", path, body, call.status, call.response)


@preparer("GET /os-console-auth-tokens/{id}")
def _token(world: World, call: Call) -> Prepared:
    spice = (call.response or "").startswith("os-console-auth-tokens/v2.99")
    wanted = {"remote_console": {"protocol": "spice", "type": "spice-direct"}} if spice else _SERIAL
    path = f"/v2.1/servers/{world.subject('ACTIVE')}/remote-consoles"
    made = world.must("admin", "POST", path, wanted, "2.99" if spice else "2.31")
    token = made.body["remote_console"]["url"].rpartition("token=")[2]
    return plain(world, call, f"/v2.1/os-console-auth-tokens/{token}")
