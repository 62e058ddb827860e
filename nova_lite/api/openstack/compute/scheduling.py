"""Why a server is where it is, or nowhere: what the scheduler said last. Nova has no such call."""

from __future__ import annotations

from typing import Any

from nova_lite import exception
from nova_lite.api.openstack.compute.views import scheduling as views
from nova_lite.api.openstack.request import Request
from nova_lite.db.api import operations
from nova_lite.objects import Instance


class BeyondController:
    def scheduling(self, req: Request, server: Instance) -> dict[str, Any]:
        """
        :raises NotFound: the scheduler was never asked, or has not answered yet
        """
        found = operations.newest_with_verdict(server.uuid)
        if found is None:
            raise exception.NotFound(f"Instance {server.uuid} has not been scheduled")
        return views.show(found)
