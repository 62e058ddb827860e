"""Deleting a server: a desired state, tried until guest, interfaces and disks are gone."""

from __future__ import annotations

from nova_lite.compute import outcome
from nova_lite.compute.host import ComputeHost
from nova_lite.context import RequestContext
from nova_lite.objects import Instance, Operation
from nova_lite.volume.release import release


def delete(host: ComputeHost, ctxt: RequestContext, operation: Operation, instance: Instance) -> None:
    """Remove all there is; a failure puts the operation down for a while. :raises StaleWrite: overtaken."""
    try:
        wipe(host, ctxt, instance)
        if not operation.args.get("also"):
            release(host.volume, ctxt, instance)
    except Exception as error:
        outcome.try_later(host, ctxt, operation, "Delete", error)
        return
    rest = operation.args.get("also", [])
    if rest:
        host.conductor.hand_over(ctxt, operation.id, operation.attempt, "rest", rest[0], {}, {"also": rest[1:]})
        return
    host.conductor.finish_delete(ctxt, operation.id, operation.attempt)


def wipe(host: ComputeHost, ctxt: RequestContext, instance: Instance) -> None:
    """Guest first, so that nothing writes to what is removed after it."""
    host.driver.destroy(instance)
    host.network.deallocate(ctxt, instance)
    host.driver.delete_disks(instance)
