"""Preparers of a server's volume attachments. They need the volume service beside the compute API."""

from __future__ import annotations

import time
from typing import Any

from tests.harness.contract import material
from tests.harness.contract.material import Call
from tests.harness.contract.prepare import Prepared, plain, preparer
from tests.harness.contract.world import Lacking, World, WorldError

_ALL = "/servers/{server_id}/os-volume_attachments"
_ONE = _ALL + "/{id}"


def _volume(world: World) -> str:
    """A new volume that is ready."""
    if world.cinder is None:
        raise Lacking("a volume service")
    made = world.cinder("POST", "/volumes", {"volume": {"size": 1, "name": world.unique("replay-")}})
    volume = str(made["volume"]["id"])
    world.adopt_volume(volume)
    _wait(world, volume, "available")
    return volume


def _wait(world: World, volume: str, status: str) -> None:
    assert world.cinder is not None
    deadline = time.monotonic() + world.timeout_s
    while (found := world.cinder("GET", f"/volumes/{volume}", None)["volume"]["status"]) != status:
        if time.monotonic() > deadline:
            raise WorldError(f"volume {volume} is {found} after {world.timeout_s} s, not {status}")
        world.sleep(0.02)


def _attach(world: World, server: str, *volumes: str) -> None:
    for number, volume in enumerate(volumes):
        body: dict[str, Any] = {"volumeId": volume, "delete_on_termination": False}
        if number == 0:
            body |= {"tag": "foo", "device": "/dev/sdb"}
        path = f"/v2.1/servers/{server}/os-volume_attachments"
        world.must("member", "POST", path, {"volumeAttachment": body}, "2.79")
        _wait(world, volume, "in-use")


def _path(server: str, volume: str | None = None) -> str:
    return f"/v2.1/servers/{server}/os-volume_attachments" + (f"/{volume}" if volume else "")


@preparer(f"GET {_ALL}")
def _list(world: World, call: Call) -> Prepared:
    volumes = _volume(world), _volume(world)
    server = world.new_server()
    _attach(world, server, *volumes)
    return _done(world, server, plain(world, call, _path(server)))


@preparer(f"GET {_ONE}")
def _show(world: World, call: Call) -> Prepared:
    volume, server = _volume(world), world.new_server()
    _attach(world, server, volume)
    return _done(world, server, plain(world, call, _path(server, volume)))


@preparer(f"POST {_ALL}")
def _create(world: World, call: Call) -> Prepared:
    volume, server = _volume(world), world.new_server()
    body = material.sample(call.request or "")
    body["volumeAttachment"]["volumeId"] = volume
    prepared = Prepared("POST", _path(server), body, call.status, call.response)
    return _done(world, server, prepared, volume, "in-use")


@preparer(f"DELETE {_ONE}")
def _delete(world: World, call: Call) -> Prepared:
    volume, server = _volume(world), world.new_server()
    _attach(world, server, volume)
    return _done(world, server, plain(world, call, _path(server, volume)), volume, "available")


@preparer(f"PUT {_ONE}")
def _update(world: World, call: Call) -> Prepared:
    """The sample that names another volume swaps; the others say what is true of the one there is."""
    volume, server = _volume(world), world.new_server()
    _attach(world, server, volume)
    body = material.sample(call.request or "")
    attachment = body["volumeAttachment"]
    swaps = call.version < (2, 85)
    attachment["volumeId"] = other = _volume(world) if swaps else volume
    for name, value in (("id", volume), ("serverId", server)):
        if name in attachment:
            attachment[name] = value
    prepared = Prepared("PUT", _path(server, volume), body, call.status, call.response)
    return _done(world, server, prepared, other, "in-use")


def _done(world: World, server: str, prepared: Prepared, volume: str = "", status: str = "") -> Prepared:
    """The call, after which its server goes; what the call began is awaited first."""

    def after(reply_body: Any) -> None:
        try:
            if volume:
                _wait(world, volume, status)
        finally:
            world.delete(server)

    return Prepared(
        prepared.method, prepared.path, prepared.body, prepared.status, prepared.sample, prepared.note, after
    )
