"""A live migration where a conductor has the turn: choosing the destination, again after a refusal, dead hosts."""

from __future__ import annotations

import logging
from typing import Any

from nova_lite import exception
from nova_lite.compute import actions
from nova_lite.compute.rpcapi import ComputeRpcAPI
from nova_lite.conductor import journal, moves
from nova_lite.conductor.endings.live_moves import give_to_destination
from nova_lite.conductor.tasks.destination import Destination, give_up, host_ip_of, unclaim, zone_of
from nova_lite.context import RequestContext
from nova_lite.db.api import instances, migrations, operations
from nova_lite.db.session import retry_on_deadlock, writer
from nova_lite.objects import Instance, Migration, MigrationWish, Operation, OperationState, Selection
from nova_lite.volume.api import API as VolumeAPI

LOG = logging.getLogger(__name__)

_SOURCE_DIED = "The source host went down during the live migration."
_DESTINATION_DIED = "The destination host went down before the live migration began."


class LiveMigrateTask:
    """Runs operations of ``live-migration`` whose turn is the conductor's."""

    def __init__(self, destination: Destination, compute: ComputeRpcAPI, volume: VolumeAPI) -> None:
        self._destination = destination
        self._compute = compute
        self._volume = volume

    def execute(self, ctxt: RequestContext, operation: Operation) -> None:
        """Choose the destination and pass the turn to it. :raises StaleWrite: overtaken; no claim is left behind."""
        try:
            instance = instances.get(operation.instance_uuid)
        except exception.InstanceNotFound:
            operations.finish(operation.id, operation.attempt, OperationState.FAILED, "The server is gone.")
            return
        migration = migrations.of_operation(operation.id)
        if migration is None or not migration.is_open:
            raise exception.StaleWrite(what=f"The move of operation {operation.id}")
        refused = operation.args["dest"] if operation.args.get("stage") == "retry" else None
        if refused is not None and not self._has_given_back(operation, instance):
            journal.rest(operation, f"What {refused} may hold of the server's volumes cannot be given back now.")
            return
        why_not = self._why_not(operation, instance, migration)
        if why_not is not None:
            give_up(operation, instance, why_not)
        elif refused is not None:
            operation = _elsewhere(operation, migration)
        if refused is not None:
            # One that died over it may be back already, and kept what it found while the move was open.
            self._compute.look_around(ctxt, refused)
        if why_not is not None:
            return
        if _volumes_change(instance):
            journal.rest(operation, "It is not known yet with which volumes the guest will go.")
            return
        chosen = self._destination.choose(ctxt, operation, instance)
        if chosen is None:
            return
        try:
            _send(operation, instance, migration, chosen)
        except exception.StaleWrite:
            unclaim(instance.uuid, chosen)
            raise
        self._compute.run_operation(ctxt, chosen.host, operation.id)

    def _why_not(self, operation: Operation, instance: Instance, migration: Migration) -> str | None:
        """Why the move ends here; None when it goes on."""
        if migration.wish == MigrationWish.ABORT:
            return str(exception.LiveMigrationAborted(instance_uuid=instance.uuid))
        if operation.args.get("stage") == "retry" and operation.args.get("to"):
            return str(operation.args["failure"]["reason"])
        if self._destination.is_dead(instance.host):
            return str(exception.ComputeServiceUnavailable(host=instance.host))
        return None


    def _has_given_back(self, operation: Operation, instance: Instance) -> bool:
        """Whether the volume service has nothing more of a destination that refused, or died: nobody else looks there.

        :raises StaleWrite: another conductor goes on with it. What that has had made meanwhile is not touched.
        """
        if _volumes_change(instance) or not any(device.is_volume for device in instance.block_devices):
            return True
        try:
            held = {device.attachment_id for device in instance.block_devices}
            left = [each.id for each in self._volume.attachments_of(None, instance.uuid) if each.id not in held]
            journal.prove(operation.id, operation.attempt)
            for attachment_id in left:
                self._volume.attachment_delete(None, attachment_id)
        except exception.Unavailable as error:
            LOG.warning("Volumes of %s cannot be given back now: %s", instance.uuid, error.message)
            return False
        return True


def _volumes_change(instance: Instance) -> bool:
    """Whether a volume is being swapped, or all of them are being bound to the server's host again after a move.

    Who does that gives up whatever else is held for the server: a destination's, too. No swap, and no such binding,
    begins while the server migrates.
    """
    return any(_changes(each) for each in operations.open_for_instance(instance.uuid))


def _changes(beside: Operation) -> bool:
    if beside.action == actions.SWAP_VOLUME.name:
        return beside.noted(actions.SWAPPED_STEP) is None
    return beside.action == actions.SETTLE.name and bool(beside.args.get("back"))


@retry_on_deadlock
def _elsewhere(operation: Operation, migration: Migration) -> Operation:
    """The destination refused: it loses the claim and is not asked again."""
    args = dict(operation.args)
    args["ignore_hosts"] = sorted({*args.get("ignore_hosts", []), args["dest"]})
    with writer():
        operations.hold(operation.id, operation.attempt, args=args)
        if migration.dest_compute is not None:
            moves.replan(migration)
    return operation.replace(args=args)


@retry_on_deadlock
def _send(operation: Operation, instance: Instance, migration: Migration, chosen: Selection) -> None:
    more: dict[str, Any] = {
        "source": instance.host, "dest": chosen.host, "dest_node": chosen.node, "zone": zone_of(chosen, instance),
    }  # fmt: skip
    with writer():
        operations.hold(operation.id, operation.attempt)
        if not moves.plan(migration, chosen.host, chosen.node, dest_host=host_ip_of(chosen)):
            raise exception.StaleWrite(what=f"Migration {migration.uuid}")
        journal.hand_over(operation.id, operation.attempt, "check", chosen.host, {}, more)


def without_host(operation: Operation, instance: Instance) -> int | None:
    """The host whose turn it is went down: who goes on. In the caller's transaction.

    A destination that prepares is replaced; of a dead source the destination knows what became of the guest; what the
    destination has to end waits for it, as the guest is there.
    """
    stage = operation.args.get("stage")
    if stage == "check":
        failure = {"reason": _DESTINATION_DIED, "details": "", "code": 500}
        args = {**operation.args, "stage": "retry", "failure": failure, "handed_by": operation.attempt}
        return operation.id if operations.seize(operation, "conductor", args) else None
    if stage == "migrate":
        LOG.warning("Live migration of %s: source %s is down", instance.uuid, operation.host)
        give_to_destination(operation, _SOURCE_DIED)
        return None
    if stage == "undo" and not operation.args.get("lost"):
        # The source said that the guest is with it; what is left on the destination goes when that is back.
        args = {**operation.args, "to": operation.args["dest"], "stage": "retry", "handed_by": operation.attempt}
        return operation.id if operations.seize(operation, "conductor", args) else None
    return None
