"""A host that starts, or looks around: guests that should not be here, and what became of those that should."""

from __future__ import annotations

import logging
from typing import Any

from nova_lite.compute.delete import wipe
from nova_lite.compute.host import ComputeHost
from nova_lite.compute.power_states import PowerState
from nova_lite.context import RequestContext
from nova_lite.objects import Instance

LOG = logging.getLogger(__name__)


def clean(host: ComputeHost, ctxt: RequestContext) -> None:
    """Remove the guests that the database proves stale; leave alone what it does not know."""
    # Disks without a guest are older than any generation: what a killed build or delete left.
    found: dict[str, int | None] = dict.fromkeys(host.driver.list_disks(), -1)
    found |= {guest.uuid: guest.generation for guest in host.driver.list_guests()}
    verdict = host.conductor.judge_guests(ctxt, host.name, found)
    for uuid in verdict["unknown"]:
        LOG.warning("Guest %s on this host is not in the database or carries no mark of ours: left alone", uuid)
    left = {instance.uuid for instance in verdict["destroy"]}
    for instance in verdict["destroy"]:
        LOG.warning("Guest %s on this host is deleted or lives elsewhere: removing it", instance.uuid)
        with host.locks.hold(instance.uuid):
            try:
                # Judged again under the lock: it may have come back since.
                remove_stale(host, ctxt, instance.uuid, -1)
                left.discard(instance.uuid)
            except Exception:
                LOG.exception("Guest %s could not be removed", instance.uuid)
    cleaned = [uuid for uuid in verdict["evacuated"] if uuid not in left]
    if cleaned:
        host.conductor.report_cleaned(ctxt, host.name, cleaned)


def keeps(host: ComputeHost, ctxt: RequestContext, instance: Instance) -> bool:
    """Ask whether a server's guest and disks shall stay here; what is proved stale is removed.

    For a worker that was overtaken and holds the server's lock.
    """
    return instance.uuid in remove_stale(host, ctxt, instance.uuid, instance.generation)["keep"]


def remove_stale(host: ComputeHost, ctxt: RequestContext, uuid: str, without_guest: int) -> dict[str, Any]:
    """Remove a server's guest and disks if they are proved stale; the verdict. Its lock is the caller's.

    ``without_guest`` is the generation that disks without a guest count as.
    """
    guest = host.driver.find_guest(uuid)
    generation = without_guest if guest is None or guest.generation is None else guest.generation
    verdict: dict[str, Any] = host.conductor.judge_guests(ctxt, host.name, {uuid: generation})
    for stale in verdict["destroy"]:
        remove(host, ctxt, stale)
    return verdict


def remove(host: ComputeHost, ctxt: RequestContext, instance: Instance) -> None:
    """Remove what is proved stale; the interfaces of a server that lives elsewhere are plugged there."""
    if instance.is_deleted:
        wipe(host, ctxt, instance)
        return
    host.driver.destroy(instance)
    host.driver.delete_disks(instance)
    if instance.host is not None:
        # A worker that was overtaken here may have taken them after they were given to the other host.
        host.network.move(ctxt, instance, instance.host)


def report_all(host: ComputeHost, ctxt: RequestContext) -> None:
    """Tell the conductor the power state of every server that belongs here."""
    found = {guest.uuid: guest.power_state for guest in host.driver.list_guests()}
    for instance in host.conductor.host_instances(ctxt, host.name):
        if instance.task_state is None and instance.power_state != found.get(instance.uuid, PowerState.NOSTATE):
            report(host, ctxt, instance.uuid)


def report(host: ComputeHost, ctxt: RequestContext, uuid: str) -> None:
    """Tell the conductor what one guest does, while nothing else is done to it on this host."""
    with host.locks.hold(uuid):
        guest = host.driver.find_guest(uuid)
        state = guest.power_state if guest else PowerState.NOSTATE
        host.conductor.report_power_states(ctxt, host.name, {uuid: state})
