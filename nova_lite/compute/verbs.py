"""What a host does when an operation's turn is its own, by the action's name."""

from __future__ import annotations

from collections.abc import Callable

from nova_lite import exception
from nova_lite.compute import actions, attach_volume, interfaces, outcome, power, rescue, shelve, snapshot
from nova_lite.compute.build import build
from nova_lite.compute.delete import delete
from nova_lite.compute.host import ComputeHost
from nova_lite.compute.move_verbs import MOVES
from nova_lite.compute.rebuild import rebuild
from nova_lite.compute.unshelve import unshelve
from nova_lite.context import RequestContext
from nova_lite.objects import Instance, Operation

Verb = Callable[[ComputeHost, RequestContext, Operation, Instance], None]

VERBS: dict[str, Verb] = {
    actions.CREATE.name: build,
    actions.DELETE.name: delete,
    actions.FORCE_DELETE.name: delete,
    actions.REBUILD.name: rebuild,
    actions.RESCUE.name: rescue.rescue,
    actions.UNRESCUE.name: rescue.unrescue,
    actions.SHELVE.name: shelve.shelve,
    actions.SHELVE_OFFLOAD.name: shelve.shelve_offload,
    actions.UNSHELVE.name: unshelve,
    actions.CREATE_IMAGE.name: snapshot.create_image,
    actions.CREATE_BACKUP.name: snapshot.create_backup,
    actions.ATTACH_VOLUME.name: attach_volume.attach,
    actions.DETACH_VOLUME.name: attach_volume.detach,
    actions.SWAP_VOLUME.name: attach_volume.swap,
    actions.ATTACH_INTERFACE.name: interfaces.attach,
    actions.DETACH_INTERFACE.name: interfaces.detach,
    **MOVES,
}


def postpone(host: ComputeHost, ctxt: RequestContext, operation: Operation, why: exception.ServerBusy) -> None:
    """Put down a turn that cannot begin, so that it keeps no worker. :raises StaleWrite: overtaken."""
    outcome.put_down(host, ctxt, operation, str(why))


def perform(host: ComputeHost, ctxt: RequestContext, operation: Operation, instance: Instance) -> None:
    """Do this host's turn of an operation, and report. :raises StaleWrite: another worker overtook this one."""
    verb = VERBS.get(operation.action)
    if verb is not None:
        verb(host, ctxt, operation, instance)
    elif power.can(actions.by_name(operation.action, operation.args)):
        power.perform(host, ctxt, operation, instance)
    else:
        unknown = exception.NotSupported(f"Host {host.name} does not know the action {operation.action}.")
        outcome.fail(host, ctxt, operation, instance, unknown)
