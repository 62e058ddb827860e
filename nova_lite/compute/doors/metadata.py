"""Metadata of a server: read, merged, replaced; two writers at once lose nothing of each other."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from nova_lite import exception, quota
from nova_lite.compute import acceptance, actions
from nova_lite.compute.doors.door import Door, check_lock
from nova_lite.context import RequestContext
from nova_lite.db.api import instances
from nova_lite.db.session import retry_on_deadlock, writer
from nova_lite.objects import Instance

Items = dict[str, str]


class MetadataDoor(Door):
    """Each method answers all items there are afterwards.

    :raises InstanceIsLocked, InstanceInvalidState, InstanceNotLaunched: refused.
    :raises InstanceNotFound: it was deleted meanwhile.
    """

    def merge(self, ctxt: RequestContext, instance: Instance, items: Mapping[str, str]) -> Items:
        """Add items, or give present ones new values. :raises Forbidden: more than the quota."""
        return self._write(ctxt, instance, actions.UPDATE_METADATA, lambda present: {**present, **items})

    def replace(self, ctxt: RequestContext, instance: Instance, items: Mapping[str, str]) -> Items:
        """Have these items and no others. :raises Forbidden: more than the quota."""
        return self._write(ctxt, instance, actions.UPDATE_METADATA, lambda present: dict(items))

    def remove(self, ctxt: RequestContext, instance: Instance, key: str) -> Items:
        """:raises MetadataItemNotFound: there is no such item, which is said before the state is judged."""
        if key not in instance.metadata:
            raise exception.MetadataItemNotFound()
        return self._write(ctxt, instance, actions.DELETE_METADATA, lambda present: _without(present, key))

    def _write(
        self, ctxt: RequestContext, instance: Instance, row: actions.Action, change: Callable[[Items], Items]
    ) -> Items:
        check_lock(ctxt, instance, row)
        return _written(instance.uuid, row, change, quota.limits(instance.project_id)["metadata_items"])


@retry_on_deadlock
def _written(uuid: str, row: actions.Action, change: Callable[[Items], Items], most: int) -> Items:
    with writer():
        server = instances.locked(uuid)
        acceptance.check(row, server)
        items = change(server.metadata)
        if 0 <= most < len(items) and len(items) > len(server.metadata):
            raise exception.Forbidden(f"Maximum number of metadata items exceeds {most}")
        instances.update_if(uuid, {"metadata": items})
        return items


def _without(items: Items, key: str) -> Items:
    return {name: value for name, value in items.items() if name != key}
