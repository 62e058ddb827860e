"""Deleting a server: a desired state, tried until guest, interfaces and disks are gone."""

from __future__ import annotations

import logging

from nova_lite.compute.host import ComputeHost
from nova_lite.context import RequestContext
from nova_lite.objects import Instance, Operation

LOG = logging.getLogger(__name__)

# First rest after a failed try, doubled with each, in seconds.
_REST_S = 2.0
_LONGEST_REST_S = 60.0


def delete(host: ComputeHost, ctxt: RequestContext, operation: Operation, instance: Instance) -> None:
    """Remove all there is; a failure puts the operation down for a while. :raises StaleWrite: overtaken."""
    try:
        wipe(host, ctxt, instance)
    except Exception as error:
        rest_s = min(_REST_S * 2 ** min(operation.attempt, 10), _LONGEST_REST_S)
        LOG.exception("Delete of %s failed; again in %.0f s", instance.uuid, rest_s)
        message = f"Delete failed on {host.name}: {type(error).__name__}; it is tried again."
        host.conductor.put_down(ctxt, operation.id, operation.attempt, rest_s, message)
        return
    host.conductor.finish_delete(ctxt, operation.id, operation.attempt)


def wipe(host: ComputeHost, ctxt: RequestContext, instance: Instance) -> None:
    """Guest first, so that nothing writes to what is removed after it."""
    host.driver.destroy(instance)
    host.network.deallocate(ctxt, instance)
    host.driver.delete_disks(instance)
