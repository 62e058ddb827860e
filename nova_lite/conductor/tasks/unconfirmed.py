"""Resizes that nobody confirmed or reverted in time."""

from __future__ import annotations

import datetime
import logging

from nova_lite import exception
from nova_lite.compute import moves
from nova_lite.compute.rpcapi import ComputeRpcAPI
from nova_lite.context import admin_context
from nova_lite.db import clock
from nova_lite.db.api import instances, migrations

LOG = logging.getLogger(__name__)


def confirm(compute: ComputeRpcAPI, window_s: int) -> int:
    """Confirm what has waited longer than ``window_s`` (0: nothing ever does); how many."""
    if not window_s:
        return 0
    confirmed = 0
    for migration in migrations.unconfirmed(clock.settled() - datetime.timedelta(seconds=window_s)):
        ctxt = admin_context()
        try:
            operation_id, host = moves.confirm(ctxt, instances.get(migration.instance_uuid))
        except exception.NovaLiteError as error:
            # Its user confirms, reverts or deletes it at this very moment, or works on it: there is a next time.
            LOG.info("Server %s is not confirmed now: %s", migration.instance_uuid, error)
            continue
        compute.run_operation(ctxt, str(host), operation_id)
        LOG.info("The resize of server %s is confirmed after %d s", migration.instance_uuid, window_s)
        confirmed += 1
    return confirmed
