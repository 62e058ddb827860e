"""What a host does when another service reports something about one of its servers, by the event's name.

An event is a hint: whoever handles it asks the neighbour or the hypervisor what is true now, so that events which come
twice, late or in disorder do no harm.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable

from nova_lite import exception
from nova_lite.compute import reconcile
from nova_lite.compute.host import ComputeHost
from nova_lite.context import RequestContext
from nova_lite.objects import ExternalEvent, Instance
from nova_lite.objects.external_event import EventName

LOG = logging.getLogger(__name__)

# How long an event waits for other work on its server, in seconds; who has the lock may never come back.
_PATIENCE_S = 20.0

Handler = Callable[[ComputeHost, RequestContext, Instance, ExternalEvent], None]


def _note(host: ComputeHost, ctxt: RequestContext, instance: Instance, event: ExternalEvent) -> None:
    """Nothing on this host waits for it."""
    LOG.info("Server %s: %s of %s is %s", instance.uuid, event.name, event.tag, event.status)


def _power(host: ComputeHost, ctxt: RequestContext, instance: Instance, event: ExternalEvent) -> None:
    """Somebody else switched the machine: say what it does now."""
    reconcile.report(host, ctxt, instance.uuid)


def _extended(host: ComputeHost, ctxt: RequestContext, instance: Instance, event: ExternalEvent) -> None:
    """A volume has grown: a guest that runs is to see it now, any other sees it when it starts.

    What the message says of its size is as old as the message, and the volume may have grown again since.

    :raises ServerBusy: something else is done to the server for long; its row has the new size already.
    :raises VolumeNotFound, Unavailable: the volume service says nothing of it.
    """
    with host.locks.hold(instance.uuid, patience_s=_PATIENCE_S):
        for device in instance.block_devices:
            if device.volume_id == event.tag and "volumes" in host.driver.capabilities:
                present = device.replace(volume_size=host.volume.get(None, str(event.tag)).size)
                host.driver.extend_volume(instance, present)  # type: ignore[attr-defined]


# What a server has of interfaces and volumes is in its row, which the API rewrites: compute/doors/external_events.py.
HANDLERS: dict[str, Handler] = {
    EventName.NETWORK_CHANGED: _note,
    EventName.VIF_PLUGGED: _note,
    EventName.VIF_UNPLUGGED: _note,
    EventName.VIF_DELETED: _note,
    EventName.VOLUME_EXTENDED: _extended,
    EventName.POWER_UPDATE: _power,
    EventName.ACCELERATOR_BOUND: _note,
    EventName.VOLUME_REIMAGED: _note,
}


def handle(
    host: ComputeHost, ctxt: RequestContext, servers: Iterable[Instance], events: Iterable[ExternalEvent]
) -> None:
    """Handle each event; one that fails is logged and keeps no other from its turn."""
    known = {server.uuid: server for server in servers}
    for event in events:
        try:
            HANDLERS[event.name](host, ctxt, known[event.instance_uuid], event)
        except exception.ServerBusy as error:
            LOG.warning("Event %s of server %s comes to nothing: %s", event.name, event.instance_uuid, error)
        except Exception:
            LOG.exception("Event %s of server %s could not be handled", event.name, event.instance_uuid)
