"""Diagnostics of servers."""

from __future__ import annotations

from typing import Any

from nova_lite.api.openstack.compute.views import diagnostics as views
from nova_lite.api.openstack.microversions import ONE_FORM_OF_DIAGNOSTICS
from nova_lite.api.openstack.request import Request
from nova_lite.compute.api import API
from nova_lite.objects import Instance


class DiagnosticsController:
    def __init__(self, compute: API) -> None:
        self._diagnostics = compute.diagnostics

    def index(self, req: Request, server: Instance) -> dict[str, Any]:
        found = self._diagnostics.get(req.ctxt, server)
        return views.fixed(found) if req.wants(ONE_FORM_OF_DIAGNOSTICS) else views.free(found)
