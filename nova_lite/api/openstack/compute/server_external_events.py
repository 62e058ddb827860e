"""External events: other services report ports that were plugged, volumes that grew, machines that were switched."""

from __future__ import annotations

from nova_lite.api.openstack.compute.schemas import server_external_events as schemas
from nova_lite.api.openstack.request import Request, Response
from nova_lite.api.openstack.validation import validated
from nova_lite.compute.api import API
from nova_lite.db.api import instances
from nova_lite.objects import ExternalEvent, Instance
from nova_lite.objects.external_event import EventName

# These say nothing without a tag: which volume, which state.
_TAGGED = (
    EventName.VOLUME_EXTENDED, EventName.POWER_UPDATE, EventName.ACCELERATOR_BOUND, EventName.VOLUME_REIMAGED,
)  # fmt: skip


class ServerExternalEventsController:
    def __init__(self, compute: API) -> None:
        self._compute = compute

    @validated(body=schemas.CREATE)
    def create(self, req: Request) -> Response:
        """Each event gets its own code; the whole is 207 where one of them could not be used."""
        asked = req.body["events"]
        found = {each.uuid: each for each in instances.get_many({event["server_uuid"] for event in asked})}
        accepted, views = [], []
        for item in asked:
            event = ExternalEvent(
                item["server_uuid"], item["name"], item.get("status", "completed"), item.get("tag")
            )
            code = _code(event, found.get(event.instance_uuid))
            if code == 200:
                accepted.append(event)
            views.append({**item, "status": "completed" if code == 200 else "failed", "code": code})
        if accepted:
            servers = [found[uuid] for uuid in dict.fromkeys(event.instance_uuid for event in accepted)]
            self._compute.external_events.dispatch(req.ctxt, servers, accepted)
        return Response({"events": views}, status=200 if len(accepted) == len(asked) else 207)


def _code(event: ExternalEvent, server: Instance | None) -> int:
    """Whether an event can be used: its server is there, it says enough, and there is a host to tell."""
    if server is None:
        return 404
    if event.name in _TAGGED and event.tag is None:
        return 400
    return 200 if server.host is not None else 422
