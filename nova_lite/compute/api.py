"""The compute door: permission is judged before, intent is written here, and the worker is woken.

Everything accepted is in the database when a method returns; the messages sent afterwards are only wake-ups.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from oslo_config import cfg

from nova_lite import exception, quota
from nova_lite.compute import acceptance, actions, create, reservations
from nova_lite.compute.doors.door import Door, Neighbours, check_lock
from nova_lite.compute.doors.table import Doors
from nova_lite.compute.lookups import Lookups
from nova_lite.compute.once import Once
from nova_lite.compute.vm_states import VmState
from nova_lite.context import RequestContext
from nova_lite.db.api import instances, provisional_volumes
from nova_lite.image.api import API as ImageAPI
from nova_lite.liveness import dead_hosts
from nova_lite.network.api import API as NetworkAPI
from nova_lite.objects import Fault, Instance, Page, ServerName, ServerRequest, ServerSearch
from nova_lite.volume.api import API as VolumeAPI

# What a console log answer may hold at the most, as Nova's.
_MAX_CONSOLE_BYTES = 102_400
# The fault of a server that was reset to error.
DECLARED = "An administrator declared the server to be in error."


class API(Doors):
    """What the REST controllers ask of compute."""

    def __init__(
        self, conf: cfg.ConfigOpts = cfg.CONF, image_api: ImageAPI | None = None, network_api: NetworkAPI | None = None,
        volume_api: VolumeAPI | None = None,
    ) -> None:  # fmt: skip
        neighbours = Neighbours.of(conf, image_api, network_api, volume_api)
        super().__init__(neighbours)
        self._conf = conf
        self._volume = neighbours.volume
        self._conductor = neighbours.conductor
        self._rpcapi = neighbours.compute
        self._door = Door(neighbours)
        self._lookups = Lookups(conf, neighbours.image, neighbours.network, neighbours.volume)

    # -- create -----------------------------------------------------------------------------------

    def create(
        self, ctxt: RequestContext, request: ServerRequest, once: Once | None = None
    ) -> tuple[tuple[Instance, ...], str]:
        """Accept new servers; they and the reservation id. ``once`` is kept with them.

        :raises IdempotencyKeyInUse: another request was quicker.
        :raises FlavorNotFound, ImageNotFound, KeypairNotFound, NetworkNotFound, Invalid: see :mod:`create`.
        :raises OverQuota: the project may not have so many.
        """
        self._check_metadata(ctxt, request)
        builds = create.prepare(ctxt, request, self._lookups, self._conf.default_schedule_zone)
        with provisional_volumes.promised(reservations.need(builds), self._door.acceptance_s) as promise:
            builds = reservations.reserve(ctxt, self._volume, builds)
            promise.undo(partial(reservations.give_back, ctxt, self._volume, builds))

            def first() -> None:
                promise.keep()
                if once is not None:
                    once.keep(builds[0].instance)

            operation_ids = acceptance.create(ctxt, [(build.instance, build.args) for build in builds], first)
        self._conductor.wake(ctxt, operation_ids)
        servers = tuple(instances.get_many([build.instance.uuid for build in builds]))
        return servers, builds[0].instance.reservation_id or ""

    def _check_metadata(self, ctxt: RequestContext, request: ServerRequest) -> None:
        allowed = quota.limits(str(ctxt.project_id))["metadata_items"]
        if 0 <= allowed < len(request.metadata):
            raise exception.Forbidden(f"Maximum number of metadata items exceeds {allowed}")

    # -- read -------------------------------------------------------------------------------------

    def get(self, ctxt: RequestContext, uuid: str) -> Instance:
        """:raises InstanceNotFound: there is none, or it is another project's and the caller no administrator."""
        return instances.get(uuid, project_id=None if ctxt.is_admin else str(ctxt.project_id))

    def get_all(self, ctxt: RequestContext, search: ServerSearch) -> Page[Instance]:
        """:raises MarkerNotFound: the marker is no server of this search's project."""
        return instances.list(search)

    def get_names(self, ctxt: RequestContext, search: ServerSearch) -> Page[ServerName]:
        """Ids and names only, which costs a tenth; errors as in :meth:`get_all`."""
        return instances.names(search)

    # -- change -----------------------------------------------------------------------------------

    def update(self, ctxt: RequestContext, instance: Instance, values: dict[str, Any]) -> Instance:
        """Change names, addresses and the like; a server is pinned only to the zone it is in.

        :raises InstanceNotFound: it was deleted meanwhile; :raises InstanceInAnotherZone: it is not in that zone.
        """
        zone = values.get("pinned_availability_zone")
        expected = {} if zone is None else {"availability_zone": zone}
        if values and not instances.update_if(instance.uuid, values, **expected):
            present = self.get(ctxt, instance.uuid).availability_zone
            raise exception.InstanceInAnotherZone(instance_uuid=instance.uuid, zone=zone, present=present)
        return self.get(ctxt, instance.uuid)

    def delete(self, ctxt: RequestContext, instance: Instance, row: actions.Action = actions.DELETE) -> None:
        """Accept a delete, a plain one perhaps as a soft delete; one under way already is enough.

        :raises InstanceIsLocked: and the caller is no administrator; :raises InstanceNotFound: it is gone.
        """
        check_lock(ctxt, instance, row)
        if row is actions.DELETE:
            row = self.soft_deletes.row()
        dead = dead_hosts(self._conf.operations.service_down_s)
        accepted = acceptance.delete(ctxt, instance, row, dead)
        if accepted is not None:
            self._door.wake(ctxt, *accepted)

    def perform(self, ctxt: RequestContext, instance: Instance, row: actions.Action, args: dict[str, Any]) -> None:
        """Accept an action of the table that the server's host carries out.

        :raises InstanceIsLocked, InstanceInvalidState, InstanceNotLaunched, InstanceNotReady: refused.
        """
        if row is actions.FORCE_DELETE:
            self.delete(ctxt, instance, row)
            return
        self._door.accept(ctxt, instance, row, args)

    def lock(self, ctxt: RequestContext, instance: Instance, reason: str | None = None) -> None:
        """Locking twice is no error; the first owner stays."""
        owner = "owner" if instance.project_id == ctxt.project_id else "admin"
        kept = instance.locked_by if instance.locked else owner
        values = {"locked": True, "locked_by": kept, "locked_reason": reason}
        acceptance.at_once(ctxt, instance, actions.LOCK, values)

    def unlock(self, ctxt: RequestContext, instance: Instance) -> None:
        values = {"locked": False, "locked_by": None, "locked_reason": None}
        acceptance.at_once(ctxt, instance, actions.UNLOCK, values)

    def reset_state(self, ctxt: RequestContext, instance: Instance, vm_state: str) -> None:
        """Declare the server active or in error; whatever runs on it is given up.

        A server in error says why, which Nova does not demand: who finds it so need not look for what never happened.
        """
        values: dict[str, Any] = {"vm_state": VmState(vm_state), "task_state": None}
        if vm_state == VmState.ERROR and (instance.vm_state != VmState.ERROR or instance.fault is None):
            values["fault"] = Fault(500, DECLARED, "", instance.host)
        acceptance.at_once(ctxt, instance, actions.RESET_STATE, values)

    def console_output(self, ctxt: RequestContext, instance: Instance, length: int | None) -> str:
        """The last ``length`` lines of the serial console (None or -1: all that is kept).

        :raises InstanceNotReady: it has no host yet; :raises NotFound: the guest is gone from its host.
        """
        if instance.host is None:
            raise exception.InstanceNotReady(instance_uuid=instance.uuid)
        raw = self._rpcapi.console_output(ctxt, instance.host, instance, _MAX_CONSOLE_BYTES)
        # Characters that JSON or a terminal would choke on are what a guest may print.
        text = raw.decode("utf-8", "replace")
        text = "".join(char for char in text if char in "\n\t\r" or ord(char) >= 32 or char == "\x1b")
        return text if length is None or length < 0 else "".join(_last_lines(text, length))


def _last_lines(text: str, length: int) -> list[str]:
    return text.splitlines(keepends=True)[-length:] if length else []
