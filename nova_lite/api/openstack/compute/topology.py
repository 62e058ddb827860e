"""The NUMA topology of servers."""

from __future__ import annotations

from typing import Any

from nova_lite.api.openstack.compute.views import topology as views
from nova_lite.api.openstack.request import Request
from nova_lite.compute import numa
from nova_lite.objects import Instance


class TopologyController:
    def index(self, req: Request, server: Instance) -> dict[str, Any]:
        target = {"project_id": server.project_id, "user_id": server.user_id}
        shows_host = req.may("compute:server:topology:host:index", target)
        return views.show(numa.layout(server.flavor, server.image), shows_host=shows_host)
