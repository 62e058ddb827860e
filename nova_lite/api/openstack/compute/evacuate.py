"""Evacuation: the action evacuate."""

from __future__ import annotations

from typing import Any

from oslo_utils import strutils

from nova_lite import exception
from nova_lite.api.openstack.compute import admin_password
from nova_lite.api.openstack.compute.migrate_live import forced
from nova_lite.api.openstack.compute.schemas import evacuate as schemas
from nova_lite.api.openstack.microversions import (
    EVACUATED_STAY_STOPPED,
    FORCE_IN_EVACUATE,
    NO_PASSWORD_FROM_EVACUATE,
)
from nova_lite.api.openstack.request import Request
from nova_lite.api.openstack.validation import validated
from nova_lite.compute.api import API
from nova_lite.objects import Instance


class EvacuateController:
    def __init__(self, compute: API) -> None:
        self._compute = compute

    @validated(body=schemas.EVACUATE)
    def evacuate(self, req: Request, server: Instance) -> dict[str, Any] | None:
        """
        :raises Invalid: force without a host; a password for disks that stay as they are
        """
        body = req.body["evacuate"]
        host = body.get("host")
        # Before it could be said, a named host was never checked by the scheduler.
        force = forced(body, host) if req.wants(FORCE_IN_EVACUATE) else bool(host)
        password = None if req.wants(NO_PASSWORD_FROM_EVACUATE) else _password(body)
        args = {"force": force, "stopped": req.wants(EVACUATED_STAY_STOPPED)}
        self._compute.live_moves.evacuate(req.ctxt, server, host, args)
        return None if req.wants(NO_PASSWORD_FROM_EVACUATE) else {"adminPass": password}


def _password(body: dict[str, Any]) -> str | None:
    """None where the disks are shared and so keep what is on them."""
    shared = strutils.bool_from_string(body["onSharedStorage"], strict=True)
    if not shared:
        return admin_password.asked_or_new(body)
    if "adminPass" in body:
        raise exception.Invalid("admin password can't be changed on existing disk")
    return None
