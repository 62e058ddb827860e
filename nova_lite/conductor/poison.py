"""Operations that nobody can work on: their row, or their server's, cannot be read, or says what nobody knows.

They end as failed with the reason, and are found by ``nova-lite-manage operation list --failed``. What no version of
this code can read ends at once; what a newer one may understand is left to it until its deadline, or for a while where
it has none. Nothing here reads the rows that cannot be read.
"""

from __future__ import annotations

import datetime
import logging
from typing import Any

from nova_lite import exception
from nova_lite.compute import actions
from nova_lite.compute.task_states import TaskState
from nova_lite.compute.vm_states import VmState
from nova_lite.conductor.endings import unread
from nova_lite.db import clock
from nova_lite.db.api import instances, operation_survey
from nova_lite.db.api.operation_survey import OpenOperation
from nova_lite.db.session import retry_on_deadlock, writer
from nova_lite.objects import Fault

LOG = logging.getLogger(__name__)

# How long a newer daemon has to take what this one cannot read, where nothing says by when it must be done.
PATIENCE_S = 600
# How long who cannot read an operation leaves it alone.
SHUN_S = 5.0


def sweep() -> int:
    """End every open operation that nobody can work on; how many."""
    ended = 0
    for found in operation_survey.all_open():
        why = _why(found)
        if why is not None and end(found.id, found.instance_uuid, found.action, why):
            ended += 1
    return ended


def shun(operation_id: int, error: Exception) -> None:
    """For who took an operation and could not read it: others, perhaps newer, may."""
    LOG.error("Operation %d cannot be worked on here: %s", operation_id, error)
    operation_survey.shun(operation_id, SHUN_S)


@retry_on_deadlock
def end(operation_id: int, instance_uuid: str, action: str, why: str) -> bool:
    """Fail an operation whatever its row holds, and free its server of its task; False: it had ended."""
    reason = f"Given up: {why}"
    row = actions.BY_NAME.get(action)
    lost = {"task_state": None, "vm_state": VmState.ERROR}
    with writer():
        if not operation_survey.condemn(operation_id, reason):
            return False
        if row is None:
            # Nobody knows what it did; where it had the server, nobody knows what the server is.
            instances.update_if(instance_uuid, lost, task_state=tuple(TaskState))
        elif row.sets_task is not None:
            values = _ended(instance_uuid, action)
            instances.update_if(instance_uuid, ({"task_state": None} if row.reverts else lost) | values)
        instances.add_fault(instance_uuid, Fault(500, reason[:255], "", None))
    LOG.error("Operation %d (%s of %s): %s", operation_id, action, instance_uuid, reason)
    return True


def _ended(instance_uuid: str, action: str) -> dict[str, Any]:
    """What ends with the action besides ends, as far as its server's row can be read; the fields that change."""
    ending = unread.ENDS.get(action)
    try:
        return {} if ending is None else ending(instances.get(instance_uuid))
    except (exception.InstanceNotFound, exception.UnreadableObject) as error:
        LOG.error("What %s of %s held stays as it is: %s", action, instance_uuid, error)
        return {}


def _why(found: OpenOperation) -> str | None:
    """Why nobody can work on it, or never will; None: somebody can, or still might."""
    if found.operation is None:
        return found.why
    is_late = _is_late(found)
    if found.action not in actions.BY_NAME:
        return f"nobody knows the action {found.action!r}." if is_late else None
    if is_late:
        try:
            instances.get(found.instance_uuid)
        except exception.InstanceNotFound:
            return None  # who works on it knows what that means
        except exception.UnreadableObject as error:
            return str(error)
    return None


def _is_late(found: OpenOperation) -> bool:
    until = found.deadline or found.start_time + datetime.timedelta(seconds=PATIENCE_S)
    return until < clock.now()
