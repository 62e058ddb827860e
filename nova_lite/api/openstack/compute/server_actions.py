"""Server actions: each is a row of ``compute/actions.py`` and one method here; plain ones are made of the row."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nova_lite import exception
from nova_lite.api.openstack.compute.schemas import server_actions as schemas
from nova_lite.api.openstack.microversions import LOCK_REASONS
from nova_lite.api.openstack.request import Request
from nova_lite.api.openstack.validation import validated
from nova_lite.compute import actions
from nova_lite.compute.api import API
from nova_lite.objects import Instance

_MAX_LINES = 2**31 - 1


def _plain(action: actions.Action) -> Callable[..., None]:
    """A method for an action that takes no argument."""
    assert action.key is not None

    @validated(body=schemas.anything(action.key))
    def perform(self: ServerActionsController, req: Request, server: Instance) -> None:
        self._compute.perform(req.ctxt, server, action, {})

    return perform


class ServerActionsController:
    def __init__(self, compute: API) -> None:
        self._compute = compute

    start = _plain(actions.START)
    stop = _plain(actions.STOP)
    pause = _plain(actions.PAUSE)
    unpause = _plain(actions.UNPAUSE)
    suspend = _plain(actions.SUSPEND)
    resume = _plain(actions.RESUME)
    force_delete = _plain(actions.FORCE_DELETE)

    @validated(body=schemas.CHANGE_PASSWORD)
    def change_password(self, req: Request, server: Instance) -> None:
        args = {actions.ADMIN_PASSWORD: req.body["changePassword"]["adminPass"]}
        self._compute.perform(req.ctxt, server, actions.CHANGE_PASSWORD, args)

    @validated(body=schemas.TRIGGER_CRASH_DUMP)
    def trigger_crash_dump(self, req: Request, server: Instance) -> None:
        self._compute.perform(req.ctxt, server, actions.TRIGGER_CRASH_DUMP, {})

    @validated(body=schemas.anything("restore"))
    def restore(self, req: Request, server: Instance) -> None:
        self._compute.soft_deletes.restore(req.ctxt, server)

    @validated(body=schemas.REBOOT)
    def reboot(self, req: Request, server: Instance) -> None:
        kind = req.body["reboot"]["type"].upper()
        action = actions.REBOOT_HARD if kind == "HARD" else actions.REBOOT_SOFT
        self._compute.perform(req.ctxt, server, action, {"type": kind})

    @validated(body=schemas.LOCK)
    def lock(self, req: Request, server: Instance) -> None:
        value = req.body["lock"]
        given = req.wants(LOCK_REASONS) and isinstance(value, dict)
        reason = value.get("locked_reason") if given else None
        self._compute.lock(req.ctxt, server, reason)

    @validated(body=schemas.anything("unlock"))
    def unlock(self, req: Request, server: Instance) -> None:
        if server.locked and server.locked_by == "admin":
            target = {"project_id": server.project_id, "user_id": server.user_id}
            req.authorize("os_compute_api:os-lock-server:unlock:unlock_override", target)
        self._compute.unlock(req.ctxt, server)

    @validated(body=schemas.RESET_STATE)
    def reset_state(self, req: Request, server: Instance) -> None:
        self._compute.reset_state(req.ctxt, server, req.body["os-resetState"]["state"])

    @validated(body=schemas.CONSOLE_OUTPUT)
    def console_output(self, req: Request, server: Instance) -> dict[str, Any]:
        """
        :raises Conflict: the server has no guest to read from
        """
        length = req.body["os-getConsoleOutput"].get("length")
        lines = None if length is None else min(int(length), _MAX_LINES)
        try:
            return {"output": self._compute.console_output(req.ctxt, server, lines)}
        except exception.GuestNotFound:
            raise exception.InstanceNotReady(instance_uuid=server.uuid) from None
