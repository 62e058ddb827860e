"""What every task that needs a host asks the scheduler, and what it keeps of the answer."""

from __future__ import annotations

import dataclasses
import logging

from nova_lite import exception
from nova_lite.conductor import journal
from nova_lite.context import RequestContext
from nova_lite.db.api import server_groups
from nova_lite.objects import Instance, Operation, Placement, RequestSpec
from nova_lite.scheduler.api import API as SchedulerAPI

LOG = logging.getLogger(__name__)


def ask(scheduler: SchedulerAPI, ctxt: RequestContext, operation: Operation, spec: RequestSpec) -> Placement | None:
    """The scheduler's answer, its claim written; None: no scheduler answered, and the operation rests for a while.

    :raises StaleWrite: overtaken.
    """
    spec = spec.replace(operation_id=operation.id, attempt=operation.attempt)
    try:
        (placement,) = scheduler.select_destinations(ctxt, [spec], alternates=0)
    except exception.Unavailable as error:
        LOG.warning("%s of %s waits: no scheduler answers (%s)", operation.action, spec.instance_uuid, error)
        journal.rest(operation, "No scheduler answered.")
        return None
    return placement


def request_spec(operation: Operation, instance: Instance) -> RequestSpec:
    """What the server needs of a host, out of its row and its operation."""
    args = operation.args
    return RequestSpec(
        instance_uuid=instance.uuid,
        project_id=instance.project_id,
        user_id=instance.user_id,
        flavor=instance.flavor,
        image=instance.image,
        disk_gb=instance.disk_gb,
        availability_zone=instance.pinned_availability_zone,
        force_host=args.get("force_host"),
        force_node=args.get("force_node"),
        ignore_hosts=tuple(args.get("ignore_hosts", ())),
        scheduler_hints=dict(instance.scheduler_hints),
        group=server_groups.rule(instance.server_group, besides=instance.uuid),
    )


def verdict_of(placement: Placement) -> dict[str, object]:
    """What is kept with the operation, for administrators."""
    return dataclasses.asdict(placement.diagnosis)
