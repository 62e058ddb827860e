"""Takes servers off their hosts that were shelved long enough, or whose shelving could not do it."""

from __future__ import annotations

import datetime
import logging
from typing import Any

from nova_lite.clock import utcnow
from nova_lite.compute import actions
from nova_lite.compute.rpcapi import ComputeRpcAPI
from nova_lite.compute.vm_states import VmState
from nova_lite.context import RequestContext, admin_context
from nova_lite.db.api import instances, operations
from nova_lite.db.session import retry_on_deadlock, writer
from nova_lite.objects import Instance, ServerSearch

LOG = logging.getLogger(__name__)

_PAGE = 1000


def clear(compute: ComputeRpcAPI, shelved_offload_time_s: int) -> None:
    """One round; several conductors may do it at once. Negative: servers stay on their hosts until they are told."""
    if shelved_offload_time_s < 0:
        return
    before = utcnow() - datetime.timedelta(seconds=shelved_offload_time_s)
    search = ServerSearch(project_id=None, statuses=((str(VmState.SHELVED), None),), limit=_PAGE)
    for server in instances.list(search):
        if server.task_state is not None or server.host is None or _shelved_at(server) > before:
            continue
        ctxt = admin_context()
        operation_id = _accept(ctxt, server)
        if operation_id is not None:
            LOG.info("Server %s was shelved long enough: it leaves %s", server.uuid, server.host)
            compute.run_operation(ctxt, str(server.host), operation_id)


def _shelved_at(server: Instance) -> datetime.datetime:
    try:
        return datetime.datetime.fromisoformat(str(server.system_metadata.get("shelved_at")))
    except ValueError:
        return datetime.datetime.min


@retry_on_deadlock
def _accept(ctxt: RequestContext, server: Instance) -> int | None:
    """The operation's id; None when somebody else was faster."""
    row = actions.SHELVE_OFFLOAD
    with writer():
        expected: dict[str, Any] = {"vm_state": VmState.SHELVED, "task_state": None, "host": server.host}
        if not instances.update_if(server.uuid, {"task_state": row.sets_task}, **expected):
            return None
        return operations.insert_pending(
            request_id=ctxt.request_id, instance_uuid=server.uuid, action=row.name, project_id=server.project_id,
            user_id=server.user_id, topic="compute", host=server.host, args={}, timeout_s=row.timeout_s,
        )  # fmt: skip
