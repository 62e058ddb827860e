"""The password a guest made for itself and posted, encrypted with its user's key: kept until it is to be forgotten.

The guest posts it through a metadata service; until this cloud has one, nothing is ever there.
"""

from __future__ import annotations

from nova_lite.compute.doors.door import Door
from nova_lite.context import RequestContext
from nova_lite.db.api import instances
from nova_lite.db.session import retry_on_deadlock, writer
from nova_lite.objects import Instance

# In the server's system_metadata.
KEY = "guest_password"


class GuestPasswordDoor(Door):
    def get(self, ctxt: RequestContext, instance: Instance) -> str:
        """Base64 text; empty where the guest posted nothing."""
        return str(instance.system_metadata.get(KEY, ""))

    def clear(self, ctxt: RequestContext, instance: Instance) -> None:
        """:raises InstanceNotFound: it was deleted meanwhile."""
        _forget(instance.uuid)


@retry_on_deadlock
def _forget(uuid: str) -> None:
    with writer():
        memory = instances.locked(uuid).system_metadata
        if memory.pop(KEY, None) is not None:
            instances.update_if(uuid, {"system_metadata": memory})
