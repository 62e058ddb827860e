"""Events from other services, on their way to the hosts of the servers they are about."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Sequence

from nova_lite import concurrency, exception
from nova_lite.compute import network_events
from nova_lite.compute.doors.door import Door
from nova_lite.context import RequestContext
from nova_lite.db.api import migrations
from nova_lite.objects import ExternalEvent, Instance
from nova_lite.objects.external_event import EventName

LOG = logging.getLogger(__name__)

_CHANGES = (EventName.NETWORK_CHANGED, EventName.VIF_PLUGGED, EventName.VIF_UNPLUGGED)


class ExternalEventsDoor(Door):
    """Nobody waits for what an event leads to: the service that reports it has its answer at once."""

    def dispatch(self, ctxt: RequestContext, servers: Sequence[Instance], events: Sequence[ExternalEvent]) -> None:
        """Tell each server's host, and while it moves both. A lost message is a lost hint, see the host's side."""
        known = {server.uuid: server for server in servers}
        places: dict[str, set[str]] = {uuid: self._hosts(server) for uuid, server in known.items()}
        of_host: defaultdict[str, list[ExternalEvent]] = defaultdict(list)
        for event in events:
            for host in places[event.instance_uuid]:
                of_host[host].append(event)
        for host, here in of_host.items():
            uuids = dict.fromkeys(event.instance_uuid for event in here)
            self._rpcapi.external_events(ctxt, host, [known[uuid] for uuid in uuids], here)
        news = [event for event in events if event.name in (*_CHANGES, EventName.VIF_DELETED)]
        if news:
            # Apart: to look at a port may mean to ask the very service that waits for our answer.
            concurrency.spawn(self._read_interfaces, ctxt, known, news)

    def _hosts(self, server: Instance) -> set[str]:
        move = migrations.open_of(server.uuid)
        found = {server.host, *((move.source_compute, move.dest_compute) if move is not None else ())}
        return {host for host in found if host is not None}

    def _read_interfaces(
        self, ctxt: RequestContext, servers: dict[str, Instance], events: Sequence[ExternalEvent]
    ) -> None:
        for event in events:
            server = servers[event.instance_uuid]
            try:
                if event.name != EventName.VIF_DELETED:
                    network_events.changed(self._network, ctxt, server)
                elif event.tag is not None:
                    network_events.deleted(server, event.tag)
            except exception.NovaLiteError as error:
                LOG.warning("Event %s of server %s: %s", event.name, server.uuid, error)
