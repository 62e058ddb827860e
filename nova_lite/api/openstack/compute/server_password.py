"""The password that a guest posted for its user."""

from __future__ import annotations

from typing import Any

from nova_lite.api.openstack.request import Request
from nova_lite.compute.api import API
from nova_lite.objects import Instance


class ServerPasswordController:
    def __init__(self, compute: API) -> None:
        self._passwords = compute.guest_password

    def index(self, req: Request, server: Instance) -> dict[str, Any]:
        return {"password": self._passwords.get(req.ctxt, server)}

    def clear(self, req: Request, server: Instance) -> None:
        self._passwords.clear(req.ctxt, server)
