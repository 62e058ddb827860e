"""Requests of people whom keystonemiddleware has proven to have a role, without an identity service."""

from __future__ import annotations

import json
from typing import Any

import webob

from nova_lite import conf as nova_conf
from nova_lite.api.middleware.fault_wrap import FaultWrap
from nova_lite.api.middleware.keystone_context import KeystoneContext
from nova_lite.api.middleware.request_id import ComputeRequestId
from nova_lite.api.openstack.compute import application
from nova_lite.api.openstack.urlmap import URLMap
from nova_lite.compute.api import API
from tests.harness.cloud import PROJECT

# What Keystone puts into a token: each of these roles brings those it implies. ``none`` is a token without any.
ROLES: dict[str, tuple[str, ...]] = {
    "admin": ("admin", "manager", "member", "reader"),
    "manager": ("manager", "member", "reader"),
    "member": ("member", "reader"),
    "reader": ("reader",),
    "service": ("service",),
    "none": (),
}


class Callers:
    """``ask`` sends a request with a role; its status and its JSON (None where there is no body)."""

    def __init__(self, compute: API) -> None:
        api = application.build(nova_conf.CONF, compute=compute)
        self._app = URLMap({"/v2.1/+": ComputeRequestId(FaultWrap(KeystoneContext(api)))})

    def ask(
        self, role: str | None, method: str, path: str, body: Any = None, version: str = "2.96",
        project: str = PROJECT, user: str = "demo",
    ) -> tuple[int, Any]:  # fmt: skip
        """``path`` is below /v2.1; no role at all means no token."""
        request = webob.Request.blank(f"/v2.1{path}", method=method, base_url="http://127.0.0.1:8774")
        request.headers["OpenStack-API-Version"] = f"compute {version}"
        if role is not None:
            request.headers.update(
                {
                    "X-Identity-Status": "Confirmed", "X-User-Id": user, "X-Project-Id": project,
                    "X-Roles": ",".join(ROLES[role]),
                }
            )  # fmt: skip
        if body is not None:
            request.body = json.dumps(body).encode()
            request.content_type = "application/json"
        answer = request.get_response(self._app)
        return answer.status_int, answer.json if answer.body else None
