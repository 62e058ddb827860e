"""Takes shelved servers off hosts that are down: what they need is in their images, or on volumes.

Whatever such a host has of them is older than they are from then on, and goes when it is back.
"""

from __future__ import annotations

import logging

from nova_lite import exception
from nova_lite.conductor import journal
from nova_lite.context import RequestContext
from nova_lite.db.api import instances, operations
from nova_lite.image.api import API as ImageAPI
from nova_lite.objects import Instance, Operation, OperationState

LOG = logging.getLogger(__name__)

_KEPT = "Host %s, which is down, has the only whole copy of the server's disk: its image is not there."


class OffloadTask:
    """Runs operations of ``shelveOffload`` whose turn is the conductor's."""

    def __init__(self, image: ImageAPI) -> None:
        self._image = image

    def execute(self, ctxt: RequestContext, operation: Operation) -> None:
        """Say that the server is on no host any more, if it can be made again. :raises StaleWrite: overtaken."""
        try:
            instance = instances.get(operation.instance_uuid)
        except exception.InstanceNotFound:
            operations.finish(operation.id, operation.attempt, OperationState.FAILED, "The server is gone.")
            return
        try:
            whole = instance.is_volume_backed or self._is_copied(instance)
        except exception.NovaLiteError as error:
            LOG.warning("Offloading of %s waits: %s", instance.uuid, error)
            message = f"The image service cannot be asked: {type(error).__name__}; it is tried again."
            journal.rest(operation, message)
            return
        if whole:
            journal.finish(operation.id, operation.attempt, instance.power_state, {})
        else:
            journal.fail(operation.id, operation.attempt, _KEPT % instance.host, "", 409)

    def _is_copied(self, instance: Instance) -> bool:
        try:
            image = self._image.get(None, str(instance.system_metadata.get("shelved_image_id")))
        except exception.ImageNotFound:
            return False
        return image.status == "active"


def leave_dead_host(operation: Operation, instance: Instance) -> int | None:
    """A conductor can see whether the host is needed. In the caller's transaction."""
    return operation.id if operations.seize(operation, "conductor") else None
