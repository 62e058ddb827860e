"""What a host still has of a server that is built on it anew, or comes to it: what was not removed when it could be."""

from __future__ import annotations

from typing import Any

from nova_lite import exception
from nova_lite.compute import steps
from nova_lite.compute.host import ComputeHost
from nova_lite.objects import Instance, Operation

_DISKS = "disks"


def clearing(host: ComputeHost, operation: Operation, server: Instance, newest: int) -> steps.Step:
    """The step that removes it, done once on each host: what is found later was made by this very operation.

    ``server`` is as it is built here; a guest that is of no generation up to ``newest`` is not proved to be stale.

    :raises Conflict: there is such a guest. Nothing was touched.
    """
    name = f"cleared on {host.name}"

    def clear() -> dict[str, Any]:
        if name not in operation.steps:
            _clear(host, operation, server, newest)
        return {}

    return steps.Step(name, clear, lambda: None)  # what was stale is not missed


def make_room(host: ComputeHost, server: Instance) -> None:
    """Remove what is here of a server that lives elsewhere, before it is sent here.

    :raises Conflict: there is a guest that is not known to be stale. Nothing was touched.
    """
    if host.driver.find_guest(server.uuid) is not None or server.uuid in host.driver.list_disks():
        _remove(host, server, server.generation - 1)


def _clear(host: ComputeHost, operation: Operation, server: Instance, newest: int) -> None:
    found = host.driver.find_guest(server.uuid)
    if found is not None and found.generation == server.generation and _DISKS in operation.steps:
        return  # begun by a daemon of before this step
    _remove(host, server, newest)


def _remove(host: ComputeHost, server: Instance, newest: int) -> None:
    found = host.driver.find_guest(server.uuid)
    if found is not None:
        if found.generation is None or found.generation > newest:
            # Users read it, so it names no host.
            raise exception.Conflict(f"There is another guest of {server.uuid}, which is not known to be stale.")
        host.driver.destroy(server)
    host.driver.delete_disks(server)
