"""What the hypervisor counts of a server: asked of its host, kept nowhere."""

from __future__ import annotations

from nova_lite import exception
from nova_lite.compute.doors.door import Door, check_host
from nova_lite.context import RequestContext
from nova_lite.objects import Diagnostics, Instance


class DiagnosticsDoor(Door):
    def get(self, ctxt: RequestContext, instance: Instance) -> Diagnostics:
        """
        :raises InstanceNotReady: it has no host, or no guest there
        :raises InstanceInvalidState: its guest does not run; :raises NotSupported: its hypervisor counts nothing.
        """
        host = check_host(instance)
        try:
            return self._rpcapi.diagnostics(ctxt, host, instance)
        except exception.GuestNotFound:
            raise exception.InstanceNotReady(instance_uuid=instance.uuid) from None
