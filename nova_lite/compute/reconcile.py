"""A host that starts, or looks around: guests that should not be here, and what became of those that should."""

from __future__ import annotations

import logging

from nova_lite.compute.delete import wipe
from nova_lite.compute.host import ComputeHost
from nova_lite.compute.power_states import PowerState
from nova_lite.context import RequestContext

LOG = logging.getLogger(__name__)


def clean(host: ComputeHost, ctxt: RequestContext) -> None:
    """Remove the guests that the database proves stale; leave alone what it does not know."""
    # Disks without a guest are older than any generation: what a killed build or delete left.
    found: dict[str, int | None] = dict.fromkeys(host.driver.list_disks(), -1)
    found |= {guest.uuid: guest.generation for guest in host.driver.list_guests()}
    if not found:
        return
    verdict = host.conductor.judge_guests(ctxt, host.name, found)
    for uuid in verdict["unknown"]:
        LOG.warning("Guest %s on this host is not in the database or carries no mark of ours: left alone", uuid)
    for instance in verdict["destroy"]:
        LOG.warning("Guest %s on this host is deleted or lives elsewhere: removing it", instance.uuid)
        with host.locks.hold(instance.uuid):
            try:
                wipe(host, ctxt, instance)
            except Exception:
                LOG.exception("Guest %s could not be removed", instance.uuid)


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
