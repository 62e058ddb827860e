"""ColdMoves: the requests to resize a server or to move it while it is off, and to confirm or revert that."""

from __future__ import annotations

from typing import Any

from nova_lite import exception
from nova_lite.compute import actions, create, moves
from nova_lite.compute.doors.door import Door, check_lock
from nova_lite.context import RequestContext
from nova_lite.db.api import compute_nodes, flavors
from nova_lite.liveness import dead_hosts
from nova_lite.objects import Flavor, Instance


class ColdMoves(Door):
    """Resize, migrate, confirm, revert."""

    def resize(
        self, ctxt: RequestContext, instance: Instance, flavor_ref: str, auto_disk_config: bool | None = None
    ) -> None:
        """Accept that a server gets another flavor, on whatever host can take it.

        :raises FlavorNotFound: there is none, or it is disabled. :raises Invalid: the server cannot be of it.
        :raises OverQuota: the increase. :raises InstanceIsLocked, InstanceInvalidState, InstanceNotLaunched: refused.
        :raises Conflict: its host is down.
        """
        row = actions.RESIZE
        self._check(ctxt, instance, row)
        flavor = flavors.get_by_flavorid(flavor_ref, project_id=ctxt.project_id, is_admin=bool(ctxt.is_admin))
        _check_flavor(instance, flavor)
        # Its own host may take it where the site allows it: a cloud of one host has no other.
        ignored = [] if self._conf.allow_resize_to_same_host else [instance.host]
        values = {} if auto_disk_config is None else {"auto_disk_config": auto_disk_config}
        self.wake(ctxt, *moves.begin(ctxt, instance, row, flavor, {"ignore_hosts": ignored}, values))

    def migrate(self, ctxt: RequestContext, instance: Instance, host: str | None = None) -> None:
        """Accept that a server moves to another host, ``host`` where one is named.

        :raises Invalid: there is no such host, or the server is there already.
        :raises InstanceIsLocked, InstanceInvalidState, InstanceNotLaunched: refused.
        :raises Conflict: its host is down.
        """
        row = actions.MIGRATE
        self._check(ctxt, instance, row)
        args: dict[str, Any] = {"ignore_hosts": [instance.host], "force_host": host}
        if host is not None:
            if host == instance.host:
                raise exception.Invalid("Cannot migrate to the host where the server exists.")
            if not compute_nodes.on_host(host):
                raise exception.Invalid(str(exception.ComputeHostNotFound(host=host)))
        self.wake(ctxt, *moves.begin(ctxt, instance, row, instance.flavor, args, {}))

    def _check(self, ctxt: RequestContext, instance: Instance, row: actions.Action) -> None:
        self.check(ctxt, instance, row)
        if instance.host in dead_hosts(self._conf.operations.service_down_s):
            raise exception.Conflict("Service is unavailable at this time.")

    def confirm(self, ctxt: RequestContext, instance: Instance) -> None:
        """Accept that a server stays as and where the move brought it.

        :raises Invalid: nothing waits for it. :raises InstanceIsLocked, InstanceInvalidState: refused.
        """
        check_lock(ctxt, instance, actions.CONFIRM_RESIZE)
        self.wake(ctxt, *moves.confirm(ctxt, instance))

    def revert(self, ctxt: RequestContext, instance: Instance) -> None:
        """Accept that a server returns to what and where it was before the move; errors as in :meth:`confirm`."""
        check_lock(ctxt, instance, actions.REVERT_RESIZE)
        self.wake(ctxt, *moves.revert(ctxt, instance))


def _check_flavor(instance: Instance, flavor: Flavor) -> None:
    """:raises FlavorNotFound, Invalid: the server cannot become one of it."""
    if flavor.flavorid == instance.flavor.flavorid:
        raise exception.Invalid("When resizing, instances must change flavor!")
    if flavor.disabled:
        raise exception.FlavorNotFound(flavor_id=flavor.flavorid)
    if not instance.image_ref:
        return  # its disks are volumes, which no flavor changes
    if flavor.root_gb == 0 and instance.flavor.root_gb:
        raise exception.Invalid(
            "Server disk was unable to be resized because: Resize to zero disk flavor is not allowed."
        )
    if instance.image is not None:
        create.check_sizes(flavor, instance.image)
