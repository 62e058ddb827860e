"""Snapshots: the root disk, copied by the hypervisor and uploaded into the image that the API made for it."""

from __future__ import annotations

import datetime
import logging
from typing import IO

from nova_lite import exception
from nova_lite.compute import actions, outcome
from nova_lite.compute.host import ComputeHost
from nova_lite.compute.task_states import TaskState
from nova_lite.context import RequestContext
from nova_lite.objects import Instance, Operation

LOG = logging.getLogger(__name__)


def create_image(host: ComputeHost, ctxt: RequestContext, operation: Operation, instance: Instance) -> None:
    """Fill the image, and report. :raises StaleWrite: overtaken."""
    outcome.carry_out(host, ctxt, operation, instance, lambda: to_image(host, ctxt, operation, instance))


def create_backup(host: ComputeHost, ctxt: RequestContext, operation: Operation, instance: Instance) -> None:
    """Fill the image, remove what its rotation leaves no room for, and report. :raises StaleWrite: overtaken.

    Who is overtaken loses his image: nothing goes for it before it is said that it stays.
    """

    def work() -> None:
        to_image(host, ctxt, operation, instance)
        host.conductor.progress(ctxt, operation.id, operation.attempt, actions.IMAGE_KEPT_STEP, {})
        _rotate(host, ctxt, operation, instance)

    outcome.carry_out(host, ctxt, operation, instance, work)


def to_image(
    host: ComputeHost,
    ctxt: RequestContext,
    operation: Operation,
    instance: Instance,
    pending: TaskState = TaskState.IMAGE_PENDING_UPLOAD,
    uploading: TaskState = TaskState.IMAGE_UPLOADING,
) -> None:
    """Copy the disk into the operation's image, unless a former life of this host has done so.

    :raises ImageNotFound: somebody removed the image; :raises ImageUnacceptable: it takes no data.
    """
    image_id = operation.args["image_id"]
    if host.image.get(ctxt, image_id).status == "active":
        return

    def keep(file: IO[bytes], disk_format: str) -> None:
        host.conductor.progress(ctxt, operation.id, operation.attempt, "copy", {"task_state": uploading})
        host.image.upload(ctxt, image_id, file, disk_format)

    host.conductor.progress(ctxt, operation.id, operation.attempt, "begin", {"task_state": pending})
    host.driver.snapshot(instance, keep)  # type: ignore[attr-defined]


def _rotate(host: ComputeHost, ctxt: RequestContext, operation: Operation, instance: Instance) -> None:
    """Keep the newest backups of this kind, as many as the request said; 0 keeps none at all."""
    backups = host.image.list(
        ctxt, instance_uuid=instance.uuid, image_type="backup", backup_type=operation.args["backup_type"]
    )
    whole = [image for image in backups if image.status == "active"]
    whole.sort(key=lambda image: image.created_at or datetime.datetime.min, reverse=True)
    for image in whole[operation.args["rotation"] :]:
        try:
            host.image.delete(ctxt, image.id)
        except exception.NovaLiteError as error:
            LOG.warning("Backup %s of server %s could not be rotated out: %s", image.id, instance.uuid, error)
