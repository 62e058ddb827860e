"""An older copy of the database is taken for the truth: first it forgets by what it would undo what is real by now.

What was under way when the copy was made has ended since, well or badly, and nobody knows how: it is not undone, and
its server waits in error for somebody who looks. What requests had asked for before they were accepted is left alone.
Servers that were deleted softly may have been restored: their time begins anew. Source: doc/admin/restore.md.
"""

from __future__ import annotations

from dataclasses import dataclass

from nova_lite import exception
from nova_lite.compute import actions
from nova_lite.compute.vm_states import VmState
from nova_lite.conductor import moves
from nova_lite.db.api import (
    cloud,
    instances,
    operation_survey,
    provisional_images,
    provisional_volumes,
    services,
    soft_deletes,
)
from nova_lite.db.session import retry_on_deadlock, writer
from nova_lite.objects import Fault

UNKNOWN = "The database is a copy that was made while this was under way; what became of it is not known."


@dataclass(frozen=True)
class Adopted:
    """``cloud`` is its new name, which no host knows yet; the others are ids of what somebody should look at."""

    cloud: str
    servers: tuple[str, ...]
    images: tuple[str, ...]
    volumes: tuple[str, ...]


@retry_on_deadlock
def adopt() -> Adopted:
    """One transaction; no daemon may be at work on the database."""
    with writer():
        servers: dict[str, None] = {}
        while found := operation_survey.all_open():
            for each in found:
                _end(each)
                servers[each.instance_uuid] = None
        images = provisional_images.forget_all()
        volumes = provisional_volumes.forget_all()
        soft_deletes.begin_anew()
        services.forget_identities()
        return Adopted(cloud.rename(), tuple(servers), tuple(images), tuple(volumes))


def _end(found: operation_survey.OpenOperation) -> None:
    """Nothing of it is undone, and nothing becomes older than its server."""
    operation_survey.condemn(found.id, UNKNOWN)
    row = actions.BY_NAME.get(found.action)
    if row is not None and row.sets_task is None:
        return
    try:
        instance = instances.get(found.instance_uuid)
    except exception.InstanceNotFound:
        return
    except exception.UnreadableObject:
        instance = None
    if instance is not None:
        moves.ended(instance)
    instances.update_if(found.instance_uuid, {"task_state": None, "vm_state": VmState.ERROR})
    instances.add_fault(found.instance_uuid, Fault(500, UNKNOWN, "", None))
