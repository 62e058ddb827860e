"""Shelving servers, taking them off their hosts, and unshelving them, where the caller says or anywhere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from nova_lite import exception
from nova_lite.compute import actions
from nova_lite.compute.doors.door import Neighbours
from nova_lite.compute.doors.snapshots import ImagingDoor, snapshot_properties
from nova_lite.compute.lookups import Lookups
from nova_lite.compute.vm_states import VmState
from nova_lite.context import RequestContext
from nova_lite.db.api import compute_nodes
from nova_lite.objects import Instance


@dataclass(frozen=True)
class UnshelveRequest:
    """``pins``: the body speaks of the zone, and None means that the server may go to any from now on."""

    zone: str | None = None
    pins: bool = False
    host: str | None = None


class ShelveDoor(ImagingDoor):
    """:raises InstanceIsLocked, InstanceInvalidState, InstanceNotLaunched, InstanceNotReady: refused."""

    def __init__(self, neighbours: Neighbours) -> None:
        super().__init__(neighbours)
        self._lookups = Lookups(neighbours.conf, neighbours.image, neighbours.network, neighbours.volume)

    def shelve(self, ctxt: RequestContext, instance: Instance) -> None:
        """Accept that the server stops and its disk goes into an image; [DEFAULT] shelved_offload_time says the rest.

        :raises Forbidden, Invalid, Unavailable: the image service does not want the image.
        """
        offload = self._conf.shelved_offload_time == 0
        if instance.is_volume_backed:
            # Nothing has to be saved, so nothing has to stay on the host.
            self.accept(ctxt, instance, actions.SHELVE, {"offload": True, "image_id": None})
            return
        name = f"{instance.display_name}-shelved"
        properties = snapshot_properties(ctxt, instance)
        self.accept_with_image(ctxt, instance, actions.SHELVE, name, properties, {"offload": offload})

    def offload(self, ctxt: RequestContext, instance: Instance) -> None:
        """Accept that a shelved server leaves its host."""
        self.accept(ctxt, instance, actions.SHELVE_OFFLOAD, {})

    def unshelve(self, ctxt: RequestContext, instance: Instance, request: UnshelveRequest) -> None:
        """Accept that the server runs again.

        :raises UnshelveInstanceInvalidState: a place is named for a server that still has its host.
        :raises UnshelveHostNotInAZ: the host is in another zone than the one that is named, or that the server is
            pinned to; :raises Invalid: there is no such zone or host.
        """
        self.check(ctxt, instance, actions.UNSHELVE)
        if request.pins or request.host is not None:
            self._check_place(instance, request)
        values: dict[str, Any] = {"pinned_availability_zone": request.zone} if request.pins else {}
        args: dict[str, Any] = {"force_host": request.host, "ignore_hosts": []}
        self.accept(ctxt, instance, actions.UNSHELVE, args, values=values)

    def _check_place(self, instance: Instance, request: UnshelveRequest) -> None:
        if instance.vm_state != VmState.SHELVED_OFFLOADED:
            raise exception.UnshelveInstanceInvalidState(instance_uuid=instance.uuid, state=instance.vm_state)
        if request.zone is not None and not self._lookups.has_zone(request.zone):
            raise exception.Invalid("The requested availability zone is not available")
        if request.host is None:
            return
        if not compute_nodes.on_host(request.host):
            raise exception.Invalid(str(exception.ComputeHostNotFound(host=request.host)))
        zone = request.zone if request.pins else instance.pinned_availability_zone
        if zone is not None and self._lookups.zone_of(request.host) != zone:
            raise exception.UnshelveHostNotInAZ(host=request.host, availability_zone=zone)
