"""What a server's row remembers of its interfaces, kept in step with what the network service says happened.

A server's JSON lists are changed under its row lock only, so that two changes at once lose nothing.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable

from nova_lite import exception
from nova_lite.compute import actions
from nova_lite.context import RequestContext
from nova_lite.db.api import instances, operations
from nova_lite.db.session import retry_on_deadlock, writer
from nova_lite.network.api import API as NetworkAPI
from nova_lite.objects import Instance, Operation, Vif

Vifs = tuple[Vif, ...]
# The step of a build that writes its interfaces down: compute/build.py.
_NETWORK_STEP = "network"
# What writes down, at its end, the interfaces that it saw before.
_MOVES = (
    actions.RESIZE.name, actions.MIGRATE.name, actions.REVERT_RESIZE.name, actions.LIVE_MIGRATE.name,
    actions.EVACUATE.name, actions.UNSHELVE.name,
)  # fmt: skip


def changed(network: NetworkAPI, ctxt: RequestContext, instance: Instance) -> None:
    """``network-changed``, ``network-vif-plugged``, ``network-vif-unplugged``: read its interfaces anew.

    An interface that comes or goes just now is its own operation's affair.
    """
    now = {vif.id: vif for vif in network.interfaces(ctxt, instance)}
    _rewrite(instance.uuid, lambda vifs: (now.get(vif.id, vif) for vif in vifs))


def deleted(instance: Instance, port_id: str) -> None:
    """``network-vif-deleted``: somebody deleted the port."""
    _rewrite(instance.uuid, lambda vifs: (vif for vif in vifs if vif.id != port_id))


@retry_on_deadlock
def deleted_too_soon(instance: Instance, port_id: str) -> tuple[int, str] | None:
    """A port was deleted whose interface something that is under way may bring, or write down, after this.

    It is taken off when that is done: the id and host of the operation that waits for it. None: nothing may.
    """
    with writer():
        try:
            host = instances.locked(instance.uuid).host
        except exception.InstanceNotFound:
            return None
        underway = operations.open_for_instance(instance.uuid)
        if host is None or not any(_may_bring(operation, port_id) for operation in underway):
            return None
        number = operations.insert_pending(
            request_id=f"req-{uuid.uuid4()}", instance_uuid=instance.uuid, action=actions.DETACH_INTERFACE.name,
            project_id=instance.project_id, user_id=instance.user_id, topic="compute", host=host,
            args={"port_id": port_id}, timeout_s=actions.DETACH_INTERFACE.timeout_s,
        )  # fmt: skip
    return number, host


def _may_bring(operation: Operation, port_id: str) -> bool:
    """One whose step that names the port is not written down yet may be about this very one."""
    if operation.action == actions.ATTACH_INTERFACE.name:
        named = [step for step in operation.steps if step.startswith(actions.PORT_STEP)]
        return operation.args.get("stage") != "undo" and (not named or actions.PORT_STEP + port_id in named)
    if operation.action == actions.CREATE.name:
        return _NETWORK_STEP not in operation.steps
    return operation.action in _MOVES


def is_leaving(instance: Instance, port_id: str) -> bool:
    """Whether the interface is being taken off already, which deletes its port."""
    return any(
        operation.action == actions.DETACH_INTERFACE.name and operation.args.get("port_id") == port_id
        for operation in operations.open_for_instance(instance.uuid)
    )


@retry_on_deadlock
def _rewrite(instance_uuid: str, change: Callable[[Vifs], Iterable[Vif]]) -> None:
    with writer():
        try:
            before = instances.locked(instance_uuid).network_info
        except exception.InstanceNotFound:
            return
        after = tuple(change(before))
        if after != before:
            instances.update_if(instance_uuid, {"network_info": after})
