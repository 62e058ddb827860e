"""Accepting cold moves and their ends: the operation and the move's row become true together.

Who stands behind the request (a user's call, the sweeper of unconfirmed resizes) does not matter here.
"""

from __future__ import annotations

from typing import Any

from nova_lite import exception
from nova_lite.compute import acceptance, actions
from nova_lite.compute.vm_states import VmState
from nova_lite.conductor import arrivals, moves
from nova_lite.context import RequestContext
from nova_lite.db.api import instances, migrations, operations
from nova_lite.objects import Flavor, Instance, Migration, MigrationStatus, MigrationType
from nova_lite.objects.migration import side


def begin(
    ctxt: RequestContext, instance: Instance, row: actions.Action, flavor: Flavor, args: dict[str, Any],
    values: dict[str, Any],
) -> tuple[int, str | None]:  # fmt: skip
    """Accept a resize or a cold migration: its id, and whose turn it is. ``args``: ``ignore_hosts``, ``force_host``.

    :raises OverQuota: the flavor's increase; :raises InstanceInvalidState, InstanceNotLaunched: refused.
    :raises LiveMigrationNotSettled: what an earlier one left is not in order yet.
    """
    kind = MigrationType.RESIZE if row is actions.RESIZE else MigrationType.MIGRATION

    def also(operation_id: int) -> None:
        fresh = instances.get(instance.uuid)
        arrivals.refuse_while_settling(fresh)
        moves.begin(operations.get(operation_id), fresh, kind, flavor)

    sides = {
        "old": side(instance.host, instance.node, instance.availability_zone, instance.flavor),
        "new": side(None, None, instance.availability_zone, flavor),
    }
    power_on = instance.vm_state != VmState.STOPPED
    return acceptance.action(ctxt, instance, row, {**args, **sides, "power_on": power_on}, values=values, also=also)


def confirm(ctxt: RequestContext, instance: Instance) -> tuple[int, str | None]:
    """Accept that a move is confirmed; the source's turn.

    :raises Invalid: nothing waits for it; :raises InstanceInvalidState: the server's state forbids it.
    """
    return _end(ctxt, instance, actions.CONFIRM_RESIZE, MigrationStatus.CONFIRMING)


def revert(ctxt: RequestContext, instance: Instance) -> tuple[int, str | None]:
    """Accept that a move is reverted; the destination's turn. Errors as in :func:`confirm`."""
    return _end(ctxt, instance, actions.REVERT_RESIZE, MigrationStatus.REVERTING)


def _end(
    ctxt: RequestContext, instance: Instance, row: actions.Action, status: MigrationStatus
) -> tuple[int, str | None]:
    migration = migrations.open_of(instance.uuid)
    if migration is None or migration.status != MigrationStatus.FINISHED:
        acceptance.check(row, instance)
        raise not_resized()

    def also(operation_id: int) -> None:
        if not migrations.update_if(migration.uuid, {"status": status}, MigrationStatus.FINISHED):
            raise not_resized()

    host = migration.source_compute if row is actions.CONFIRM_RESIZE else migration.dest_compute
    return acceptance.action(ctxt, instance, row, _begun_with(migration), host=host, also=also)


def not_resized() -> exception.Invalid:
    return exception.Invalid("Instance has not been resized.")


def _begun_with(migration: Migration) -> dict[str, Any]:
    """The sides of the operation that began the move, and whether the guest ran then."""
    args = operations.get(migration.operation_id or 0).args
    return {name: args[name] for name in ("old", "new", "power_on")}
