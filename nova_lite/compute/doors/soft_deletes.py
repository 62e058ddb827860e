"""Soft deletes: a server that is switched off and waits to be restored, for [DEFAULT] reclaim_instance_interval."""

from __future__ import annotations

from nova_lite import quota
from nova_lite.compute import actions
from nova_lite.compute.doors.door import Door
from nova_lite.context import RequestContext
from nova_lite.db.api import migrations
from nova_lite.objects import Instance
from nova_lite.objects.flavor import quota_counts


class SoftDeleteDoor(Door):
    def row(self, instance: Instance) -> actions.Action:
        """How a plain delete of the server is done: for good, or so that it can be restored.

        What never ran, has no host to be restored on, or is between two hosts is deleted for good.
        """
        if not self._conf.reclaim_instance_interval or instance.host is None or instance.launched_at is None:
            return actions.DELETE
        return actions.DELETE if migrations.open_of(instance.uuid) is not None else actions.SOFT_DELETE

    def restore(self, ctxt: RequestContext, instance: Instance) -> None:
        """Bring a soft-deleted server back; it counts again from now on.

        :raises OverQuota: its project has no room for it any more.
        :raises InstanceInvalidState, InstanceNotLaunched, InstanceNotReady: refused.
        """
        self.accept(ctxt, instance, actions.RESTORE, {}, also=lambda operation_id: _count(instance))


def _count(instance: Instance) -> None:
    quota.reserve(instance.project_id, quota_counts([instance.flavor]), user_id=instance.user_id)
