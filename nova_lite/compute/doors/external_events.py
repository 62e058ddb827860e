"""Events from other services, on their way to the hosts of the servers they are about."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Sequence

from nova_lite import concurrency, exception
from nova_lite.compute import actions, network_events, volume_events
from nova_lite.compute.doors.door import Door
from nova_lite.context import RequestContext
from nova_lite.db.api import migrations
from nova_lite.objects import ExternalEvent, Instance
from nova_lite.objects.external_event import EventName

LOG = logging.getLogger(__name__)

# What changes something that a server's row remembers, once a neighbour was asked what is true.
_ROWS = (
    EventName.NETWORK_CHANGED, EventName.VIF_PLUGGED, EventName.VIF_UNPLUGGED, EventName.VOLUME_EXTENDED,
)  # fmt: skip


class ExternalEventsDoor(Door):
    """Nobody waits for what an event leads to: the service that reports it has its answer at once."""

    def dispatch(self, ctxt: RequestContext, servers: Sequence[Instance], events: Sequence[ExternalEvent]) -> None:
        """Tell each server's host, and while it moves both. A lost message is a lost hint, see the host's side."""
        known = {server.uuid: server for server in servers}
        self._tell(ctxt, known, [event for event in events if event.name != EventName.VOLUME_EXTENDED])
        # Nobody says it again, so that it is written down before it is answered.
        self._keep_in_step(ctxt, known, [event for event in events if event.name == EventName.VIF_DELETED])
        if any(event.name in _ROWS for event in events):
            # Apart: to look at a port or a volume may mean to ask the very service that waits for our answer.
            concurrency.spawn(self._keep_in_step, ctxt, known, [event for event in events if event.name in _ROWS])

    def _tell(self, ctxt: RequestContext, servers: dict[str, Instance], events: Sequence[ExternalEvent]) -> None:
        places = {uuid: self._hosts(servers[uuid]) for uuid in {event.instance_uuid for event in events}}
        of_host: defaultdict[str, list[ExternalEvent]] = defaultdict(list)
        for event in events:
            for host in places[event.instance_uuid]:
                of_host[host].append(event)
        for host, here in of_host.items():
            uuids = dict.fromkeys(event.instance_uuid for event in here)
            self._rpcapi.external_events(ctxt, host, [servers[uuid] for uuid in uuids], here)

    def _hosts(self, server: Instance) -> set[str]:
        move = migrations.open_of(server.uuid)
        found = {server.host, *((move.source_compute, move.dest_compute) if move is not None else ())}
        return {host for host in found if host is not None}

    def _keep_in_step(
        self, ctxt: RequestContext, servers: dict[str, Instance], events: Sequence[ExternalEvent]
    ) -> None:
        """Write what the events mean to the servers' rows."""
        for event in events:
            try:
                self._write_down(ctxt, servers[event.instance_uuid], event)
            except exception.NovaLiteError as error:
                LOG.warning("Event %s of server %s: %s", event.name, event.instance_uuid, error)

    def _write_down(self, ctxt: RequestContext, server: Instance, event: ExternalEvent) -> None:
        if event.name == EventName.VOLUME_EXTENDED:
            grown = volume_events.extended(self._volume, server, str(event.tag))
            if grown is not None:
                self._tell(ctxt, {grown.uuid: grown}, [event])  # its host needs the new size
        elif event.name != EventName.VIF_DELETED:
            network_events.changed(self._network, ctxt, server)
        elif event.tag is not None:
            self._lose_interface(ctxt, server, event.tag)

    def _lose_interface(self, ctxt: RequestContext, server: Instance, port_id: str) -> None:
        """Somebody deleted the port: the guest's card goes, too, where that can be done now, or after what is done."""
        if network_events.is_leaving(server, port_id):
            return
        if any(vif.id == port_id for vif in server.network_info):
            try:
                self.accept(ctxt, server, actions.DETACH_INTERFACE, {"port_id": port_id})
                return
            except exception.Conflict:
                network_events.deleted(server, port_id)
        later = network_events.deleted_too_soon(server, port_id)
        if later is not None:
            self.wake(ctxt, *later)
