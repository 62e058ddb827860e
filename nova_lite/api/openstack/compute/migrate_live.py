"""Live migration: the action os-migrateLive."""

from __future__ import annotations

from oslo_utils import strutils

from nova_lite import exception
from nova_lite.api.openstack.compute.schemas import migrate_live as schemas
from nova_lite.api.openstack.microversions import CHECKED_AFTER_THE_ANSWER, FORCE_IN_MIGRATE_LIVE
from nova_lite.api.openstack.request import Request
from nova_lite.api.openstack.validation import validated
from nova_lite.compute.api import API
from nova_lite.objects import Instance

_HOST_RULE = "os_compute_api:os-migrate-server:migrate_live:host"


class MigrateLiveController:
    def __init__(self, compute: API) -> None:
        self._compute = compute

    @validated(body=schemas.MIGRATE)
    def migrate(self, req: Request, server: Instance) -> None:
        """
        :raises Invalid: force without a host; before 2.34 also: the checks failed
        """
        body = req.body["os-migrateLive"]
        host = body["host"]
        if host:
            req.authorize(_HOST_RULE, {"project_id": server.project_id, "user_id": server.user_id})
        # Before it could be said, a named host was never checked by the scheduler.
        force = bool(host)
        if req.wants(FORCE_IN_MIGRATE_LIVE):
            force = forced(body, host)
        block = body["block_migration"]
        args = {
            "force": force,
            "block_migration": None if block == "auto" else strutils.bool_from_string(block, strict=True),
            "disk_over_commit": strutils.bool_from_string(body.get("disk_over_commit", False), strict=True),
        }
        waits = not req.wants(CHECKED_AFTER_THE_ANSWER)
        self._compute.live_moves.migrate(req.ctxt, server, host or None, args, waits=waits)


def forced(body: dict[str, object], host: object) -> bool:
    """Whether the named host shall not be checked. :raises Invalid: none is named."""
    force = bool(strutils.bool_from_string(body.get("force", False), strict=True))
    if force and not host:
        raise exception.Invalid("Can't force to a non-provided destination")
    return force
