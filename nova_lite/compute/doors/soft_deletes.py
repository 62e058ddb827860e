"""Soft deletes: a server that is switched off and waits to be restored, for [DEFAULT] reclaim_instance_interval."""

from __future__ import annotations

from nova_lite import quota
from nova_lite.compute import actions
from nova_lite.compute.doors.door import Door
from nova_lite.context import RequestContext
from nova_lite.objects import Instance
from nova_lite.objects.flavor import quota_counts


class SoftDeleteDoor(Door):
    def row(self) -> actions.Action:
        """How a plain delete is done here: for good, or so that it can be restored, if the server can be."""
        return actions.SOFT_DELETE if self._conf.reclaim_instance_interval else actions.DELETE

    def restore(self, ctxt: RequestContext, instance: Instance) -> None:
        """Bring a soft-deleted server back; it counts again from now on.

        :raises OverQuota: its project has no room for it any more.
        :raises InstanceInvalidState, InstanceNotLaunched, InstanceNotReady: refused.
        """
        self.accept(ctxt, instance, actions.RESTORE, {}, also=lambda operation_id: _count(instance))


def _count(instance: Instance) -> None:
    quota.reserve(instance.project_id, quota_counts([instance.flavor]), user_id=instance.user_id)
