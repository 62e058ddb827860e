"""LiveMoves: the requests to move a running server, what may be asked of such a move, and evacuation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nova_lite import concurrency, exception, liveness
from nova_lite.clock import monotonic
from nova_lite.compute import acceptance, actions
from nova_lite.compute.doors.door import Door
from nova_lite.compute.vm_states import VmState
from nova_lite.conductor import arrivals, moves
from nova_lite.context import RequestContext
from nova_lite.db.api import compute_nodes, instances, migrations, operations, services
from nova_lite.db.session import retry_on_deadlock, writer
from nova_lite.objects import Instance, Migration, MigrationStatus, MigrationType, MigrationWish, OperationState

# A client before 2.34 waits so long for the checks; then it hears, as a later one would, that its request stands.
_CHECKS_S = 60.0
_LOOK_AGAIN_S = 0.05
_UNCHECKED = (MigrationStatus.ACCEPTED, MigrationStatus.QUEUED)
_ABORTABLE = (MigrationStatus.RUNNING,)
# From 2.65.
_ABORTABLE_EARLY = (MigrationStatus.QUEUED, MigrationStatus.PREPARING, *_ABORTABLE)


class LiveMoves(Door):
    """Live migration, its abort and force, evacuation."""

    def migrate(
        self, ctxt: RequestContext, instance: Instance, host: str | None, args: Mapping[str, Any], *, waits: bool
    ) -> None:
        """Accept a live migration, to ``host`` or wherever the scheduler sends it; the checks are waited for if asked.

        ``args``: ``force`` (the scheduler is not asked about the host), ``block_migration``, ``disk_over_commit``.

        :raises InstanceIsLocked, InstanceInvalidState, InstanceNotLaunched: refused.
        :raises LiveMigrationNotSettled: what an earlier one left is not in order yet.
        :raises Invalid: there is no such host; or the checks, waited for, failed.
        """
        row = actions.LIVE_MIGRATE
        self.check(ctxt, instance, row)
        if host is not None and not compute_nodes.on_host(host):
            raise exception.Invalid(str(exception.ComputeHostNotFound(host=host)))
        operation_id = self._begin(ctxt, instance, row, {**args, "to": host}, MigrationType.LIVE)
        if waits:
            self._wait_for_checks(operation_id)

    def evacuate(self, ctxt: RequestContext, instance: Instance, host: str | None, args: Mapping[str, Any]) -> None:
        """Accept that a server is built again elsewhere, because its host is down; it ends whatever was under way.

        ``args``: ``force``, ``stopped`` (it shall not run afterwards).

        :raises NotFound: there is no such host; :raises Invalid: it is where the server is.
        :raises InstanceInvalidState, InstanceNotLaunched: refused; :raises ComputeServiceInUse: the host is not down.
        :raises GuestMayHaveMoved: a live migration took the guest to another host, perhaps, which is asked to look.
        :raises ServerIsShelved: it comes back from its image, not by an evacuation.
        """
        if host is not None and not compute_nodes.on_host(host):
            raise exception.NotFound(f"Compute host {host} not found.")
        if instance.host == host:
            raise exception.Invalid("The target host can't be the same one.")
        row = actions.EVACUATE
        self.check(ctxt, instance, row)
        source = services.get_by_host(str(instance.host), liveness.COMPUTE)
        if liveness.is_up(source, self._conf.operations.service_down_s):
            raise exception.ComputeServiceInUse(host=instance.host)
        try:
            self._begin(ctxt, instance, row, {**args, "to": host}, MigrationType.EVACUATION)
        except exception.GuestMayHaveMoved as error:
            self._rpcapi.look_around(ctxt, error.facts["host"])
            raise

    def abort(self, ctxt: RequestContext, instance: Instance, migration_id: str, *, early: bool) -> None:
        """Ask that a live migration ends where it began; ``early``: also one that waits or is prepared.

        :raises InstanceIsLocked, InstanceInvalidState, InstanceNotLaunched: refused.
        :raises MigrationNotFoundForInstance: no such move; :raises InvalidMigrationState: it is not so far, or too far.
        """
        row = actions.ABORT_MIGRATION
        self.check(ctxt, instance, row)
        migration = migrations.of_server(instance.uuid, migration_id)
        statuses = _ABORTABLE_EARLY if early else _ABORTABLE
        self._wish(ctxt, instance, migration, MigrationWish.ABORT, row, "abort live migration", statuses)

    def force_complete(self, ctxt: RequestContext, instance: Instance, migration_id: str) -> None:
        """Ask that a running live migration ends soon, at the price of a pause of its guest.

        :raises InstanceIsLocked, InstanceInvalidState, InstanceNotLaunched: refused.
        :raises Invalid: no such move, or it does not run.
        """
        row = actions.FORCE_COMPLETE
        self.check(ctxt, instance, row)
        try:
            migration = migrations.of_server(instance.uuid, migration_id)
        except exception.MigrationNotFoundForInstance as error:
            raise exception.Invalid(str(error)) from None
        self._wish(ctxt, instance, migration, MigrationWish.FORCE_COMPLETE, row, "force complete", _ABORTABLE)

    def in_progress(self, instance: Instance) -> list[Migration]:
        """The live migrations of a server that are under way."""
        return migrations.live_in_progress(instance.uuid)

    def one(self, instance: Instance, migration_id: str) -> Migration:
        """One of the server's moves. :raises MigrationNotFoundForInstance: it has none of that number."""
        return migrations.of_server(instance.uuid, migration_id)

    # -- inside -----------------------------------------------------------------------------------

    def _begin(
        self,
        ctxt: RequestContext,
        instance: Instance,
        row: actions.Action,
        args: Mapping[str, Any],
        kind: MigrationType,
    ) -> int:
        def begin(operation_id: int) -> None:
            operation = operations.get(operation_id)
            fresh = instances.get(instance.uuid)
            if row is actions.EVACUATE:
                _refuse_on_the_shelf(fresh)
            else:
                arrivals.refuse_while_settling(fresh)
            status = MigrationStatus.ACCEPTED
            moves.begin(operation, fresh, kind, status=status, dest_compute=args["to"])

        return self.accept(ctxt, instance, row, args, also=begin)

    def _wish(
        self,
        ctxt: RequestContext,
        instance: Instance,
        migration: Migration,
        wish: MigrationWish,
        row: actions.Action,
        method: str,
        statuses: tuple[MigrationStatus, ...],
    ) -> None:
        if not _written(ctxt, instance, migration, wish, row, statuses):
            raise exception.InvalidMigrationState(
                migration_id=migration.id,
                instance_uuid=instance.uuid,
                state=migrations.get(migration.uuid).status,
                method=method,
            )

    def _wait_for_checks(self, operation_id: int) -> None:
        """:raises Invalid: they failed."""
        end = monotonic() + _CHECKS_S
        while monotonic() < end:
            # The move before the operation: both end at once, so that an end of the one is never seen alone.
            migration = migrations.of_operation(operation_id)
            operation = operations.get(operation_id)
            if operation.state is OperationState.FAILED:
                raise exception.Invalid(operation.message)
            if operation.finish_time is not None or migration is None or migration.status not in _UNCHECKED:
                return
            concurrency.sleep(_LOOK_AGAIN_S)


def _refuse_on_the_shelf(instance: Instance) -> None:
    """:raises ServerIsShelved: it was, until it was declared to be in error: its image may be all there is of it."""
    if instance.vm_state == VmState.ERROR and "shelved_at" in instance.system_metadata:
        image_id = instance.system_metadata.get("shelved_image_id")
        raise exception.ServerIsShelved(instance_uuid=instance.uuid, image_id=image_id)


@retry_on_deadlock
def _written(
    ctxt: RequestContext,
    instance: Instance,
    migration: Migration,
    wish: MigrationWish,
    row: actions.Action,
    statuses: tuple[MigrationStatus, ...],
) -> bool:
    """Whether the move was in one of the statuses, and so the wish and the action's history are in the database."""
    live = migration.migration_type == MigrationType.LIVE
    with writer():
        if not live or not migrations.update_if(migration.uuid, {"wish": str(wish)}, *statuses):
            return False
        acceptance.at_once(ctxt, instance, row, {})
        return True
