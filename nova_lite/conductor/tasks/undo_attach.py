"""An attach that its host did not end: its port is given back. The guest loses the card when it is defined anew."""

from __future__ import annotations

import logging

from nova_lite import exception
from nova_lite.compute import actions
from nova_lite.conductor import journal
from nova_lite.context import RequestContext
from nova_lite.db.api import instances, operations
from nova_lite.network.api import API as NetworkAPI
from nova_lite.objects import NetworkRequest, Operation, OperationState

LOG = logging.getLogger(__name__)

# Why there is an attach to undo where nobody said so.
LEFT = "The server left its host meanwhile."


class UndoAttachTask:
    """Runs the turn ``undo`` of an attach."""

    def __init__(self, network: NetworkAPI) -> None:
        self._network = network

    def execute(self, ctxt: RequestContext, operation: Operation) -> None:
        """Give the port back and end the operation. :raises StaleWrite: somebody overtook this worker."""
        try:
            instance = instances.get(operation.instance_uuid)
        except exception.InstanceNotFound:
            operations.finish(operation.id, operation.attempt, OperationState.FAILED, "The server is gone.")
            return
        request, key = NetworkRequest(**operation.args["request"]), actions.ATTACH_KEY % operation.id
        try:
            for vif in self._network.attached(ctxt, instance, request, key):
                self._network.detach(ctxt, instance, vif.id)
        except exception.NovaLiteError as error:
            LOG.warning("A port of %s cannot be given back: %s", instance.uuid, error)
            journal.rest(operation, "The network service keeps the port.")
            return
        journal.progress(operation.id, operation.attempt, actions.UNDONE_STEP, {})
        journal.fail(operation.id, operation.attempt, str(operation.args.get("failure", LEFT)), "", 500)
