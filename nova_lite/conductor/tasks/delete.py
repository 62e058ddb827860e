"""A delete that no host can do: the server never had one, or it is dead and cleans up when it is back."""

from __future__ import annotations

import logging

from nova_lite import exception
from nova_lite.compute.rpcapi import ComputeRpcAPI
from nova_lite.conductor import journal
from nova_lite.context import RequestContext
from nova_lite.db.api import instances
from nova_lite.network.api import API as NetworkAPI
from nova_lite.objects import Operation
from nova_lite.volume.api import API as VolumeAPI
from nova_lite.volume.release import release

LOG = logging.getLogger(__name__)


class DeleteTask:
    """Runs deletes whose turn is the conductor's."""

    def __init__(self, compute: ComputeRpcAPI, network: NetworkAPI, volume: VolumeAPI) -> None:
        self._compute = compute
        self._network = network
        self._volume = volume

    def execute(self, ctxt: RequestContext, operation: Operation) -> None:
        """Give back what is no host's, and end it; the next host that has something of the server has its turn."""
        rest = operation.args.get("also", [])
        if rest:
            journal.hand_over(operation.id, operation.attempt, "rest", rest[0], {}, {"also": rest[1:]})
            self._compute.run_operation(ctxt, rest[0], operation.id)
            return
        try:
            self._give_back(ctxt, operation)
        except exception.NovaLiteError as error:
            LOG.warning("Delete of %s waits: %s", operation.instance_uuid, error)
            message = f"A neighbour keeps what the server had: {type(error).__name__}; it is tried again."
            journal.rest(operation, message)
            return
        journal.finish_delete(operation.id, operation.attempt)

    def _give_back(self, ctxt: RequestContext, operation: Operation) -> None:
        try:
            instance = instances.get(operation.instance_uuid)
        except exception.InstanceNotFound:
            return
        self._network.deallocate(ctxt, instance)
        release(self._volume, ctxt, instance)
