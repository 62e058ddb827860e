"""Takes servers off their hosts that were shelved long enough, or whose shelving could not do it."""

from __future__ import annotations

import datetime
import logging
from collections.abc import Iterator
from typing import Any

from nova_lite.compute import actions
from nova_lite.compute.rpcapi import ComputeRpcAPI
from nova_lite.compute.vm_states import VmState
from nova_lite.context import RequestContext, admin_context
from nova_lite.db import clock
from nova_lite.db.api import instances, operations
from nova_lite.db.session import retry_on_deadlock, writer
from nova_lite.objects import Instance, OperationState

LOG = logging.getLogger(__name__)

_BATCH = 100


def clear(compute: ComputeRpcAPI, shelved_offload_time_s: int) -> None:
    """One round; several conductors may do it at once. Negative: servers stay on their hosts until they are told."""
    if shelved_offload_time_s < 0:
        return
    before = clock.now() - datetime.timedelta(seconds=shelved_offload_time_s)
    for server in _shelved():
        if server.host is None or _shelved_at(server) > before or _was_refused(server):
            continue
        ctxt = admin_context()
        operation_id = _accept(ctxt, server)
        if operation_id is not None:
            LOG.info("Server %s was shelved long enough: it leaves %s", server.uuid, server.host)
            compute.run_operation(ctxt, str(server.host), operation_id)


def _shelved() -> Iterator[Instance]:
    uuids = instances.resting(VmState.SHELVED)
    for first in range(0, len(uuids), _BATCH):
        yield from instances.get_many(uuids[first : first + _BATCH])


def _was_refused(server: Instance) -> bool:
    """Its host may not let it go: the disk there is the only one. Somebody has to look, and was told why."""
    last = next(iter(operations.list_for_instance(server.uuid)), None)
    return last is not None and last.action == actions.SHELVE_OFFLOAD.name and last.state is OperationState.FAILED


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
