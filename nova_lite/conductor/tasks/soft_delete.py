"""Soft deletes without their host, and their end: servers whose time to be restored is over are deleted for good."""

from __future__ import annotations

import datetime
import logging

from nova_lite import exception
from nova_lite.compute import acceptance, actions
from nova_lite.compute.vm_states import VmState
from nova_lite.conductor import journal
from nova_lite.context import RequestContext, admin_context
from nova_lite.db import clock
from nova_lite.db.api import instances, operations, soft_deletes
from nova_lite.liveness import dead_hosts
from nova_lite.objects import Instance, Operation

LOG = logging.getLogger(__name__)


def without_host(ctxt: RequestContext, operation: Operation) -> None:
    """The host is down, so its guests do not run: all there is to do is to say so."""
    instance = instances.get(operation.instance_uuid)
    journal.finish(operation.id, operation.attempt, instance.power_state, {})


def leave_dead_host(operation: Operation, instance: Instance) -> int | None:
    return operation.id if operations.seize(operation, "conductor") else None


def reclaim(interval_s: int, down_s: float) -> None:
    """Delete for good what was soft-deleted longer ago; what is restored in the same moment stays. 0: nothing is."""
    if not interval_s:
        return
    due = soft_deletes.before(clock.settled() - datetime.timedelta(seconds=interval_s))
    dead = dead_hosts(down_s) if due else frozenset()
    for instance in due:
        try:
            acceptance.delete(
                admin_context(), instance, actions.DELETE, dead, vm_state=VmState.SOFT_DELETED, task_state=None
            )
        except exception.InstanceNotFound:
            continue
        LOG.info("Server %s was deleted %d s ago and is reclaimed", instance.uuid, interval_s)
