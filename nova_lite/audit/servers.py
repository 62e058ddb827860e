"""Servers come to rest, and say why where they failed (I1, I2); what a shelf leaves behind (I5)."""

from __future__ import annotations

from collections.abc import Iterable

from nova_lite.audit.finding import Complaint, Rule
from nova_lite.audit.world import World
from nova_lite.compute import statuses
from nova_lite.compute.vm_states import ON_ITS_DISK, VmState


def _restless(world: World) -> Iterable[Complaint]:
    for server in world.servers.values():
        if server.task_state is not None or server.vm_state == VmState.BUILDING:
            sentence = f"server {server.uuid} rests in {server.vm_state}/{server.task_state}"
            yield Complaint("server", server.uuid, sentence, server.uuid, server.host)


def _silent(world: World) -> Iterable[Complaint]:
    for server in world.servers.values():
        if server.vm_state == VmState.ERROR and server.fault is None:
            sentence = f"server {server.uuid} is in error and says no reason"
            yield Complaint("server", server.uuid, sentence, server.uuid, server.host)


def _unreadable(world: World) -> Iterable[Complaint]:
    for uuid in sorted(world.unreadable):
        yield Complaint("server", uuid, f"the row of server {uuid} cannot be read", uuid)


def _nowhere(world: World) -> Iterable[Complaint]:
    known = {node.host for node in world.nodes}
    for server in world.servers.values():
        if server.host is not None and server.host not in known:
            sentence = f"server {server.uuid} is on host {server.host}, which has no hypervisor"
            yield Complaint("server", server.uuid, sentence, server.uuid, server.host)


def _offloaded(world: World) -> Iterable[Complaint]:
    for server in world.servers.values():
        if server.vm_state == VmState.SHELVED_OFFLOADED and server.host is not None:
            sentence = f"server {server.uuid} is off its host and has host {server.host}"
            yield Complaint("server", server.uuid, sentence, server.uuid, server.host)


def _shelf(world: World) -> Iterable[Complaint]:
    for server in world.servers.values():
        # One that is in error, or deleted softly, goes back to the shelf when it is declared active.
        if server.vm_state in ON_ITS_DISK and "shelved_at" in server.system_metadata:
            sentence = f"server {server.uuid} is {server.vm_state} and remembers its shelf"
            yield Complaint("server", server.uuid, sentence, server.uuid, server.host)


def _shown(world: World) -> Iterable[Complaint]:
    """The API is asked at another moment than the database: where that matters, an operation excuses it."""
    if world.shown is None:
        return
    for uuid in sorted(world.shown.keys() | world.servers.keys()):
        server = world.servers.get(uuid)
        # Lists leave out what is soft-deleted, as Nova's do.
        hidden = server is None or server.vm_state == VmState.SOFT_DELETED
        status = None if server is None or hidden else statuses.status_of(server.vm_state, server.task_state)
        if world.shown.get(uuid) != status:
            sentence = f"the API shows server {uuid} as {world.shown.get(uuid)}, and it is {status}"
            yield Complaint("server", uuid, sentence, uuid)


_RESET = "look at its actions, then reset its state: `openstack server set --state`"
_FORGET = "reboot it hard if its disk is the one it shall have; its image keeps the one that it was shelved with"
RULES = (
    Rule("server-at-rest", "I1", _RESET, _restless),
    Rule("error-has-reason", "I2", "look for the server's uuid in the logs of conductor and host", _silent),
    Rule("row-is-readable", "I2", "the conductor's log says what is wrong with it: set it right", _unreadable, True),
    Rule("server-has-host", "I5", "start the host under its name again, or evacuate the server", _nowhere),
    Rule("offloaded-has-no-host", "I5", "unshelve the server, or offload it again", _offloaded),
    Rule("api-shows-servers", "I10", "restart the API; if it stays, report it as a defect", _shown),
    Rule("shelf-is-forgotten", "I5", _FORGET, _shelf),
)
