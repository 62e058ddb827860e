"""What hosts say of live migrations and evacuations besides the turns of their operations."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterable

from nova_lite import exception
from nova_lite.compute.power_states import PowerState
from nova_lite.compute.task_states import TaskState
from nova_lite.conductor import arrivals, evacuations, moves
from nova_lite.db.api import allocations, compute_nodes, console_tokens, instances, migrations, operations
from nova_lite.db.session import retry_on_deadlock, writer
from nova_lite.objects import Instance, MigrationStatus, MigrationType, Presence

LOG = logging.getLogger(__name__)

_FAILED = (MigrationStatus.FAILED, MigrationStatus.ERROR)


@retry_on_deadlock
def report(operation_id: int, attempt: int, status: str | None, progress: dict[str, int]) -> str | None:
    """Write down how far a live migration got; what its user wishes.

    :raises StaleWrite: the worker was overtaken, or the move has ended.
    """
    with writer():
        operations.hold(operation_id, attempt)
        migration = migrations.of_operation(operation_id)
        if migration is None or not migration.is_open:
            raise exception.StaleWrite(what=f"The move of operation {operation_id}")
        values = {"progress": progress} if progress else {}
        if status is not None or values:
            moves.note(migration, MigrationStatus(status or migration.status), **values)
        return migration.wish


@retry_on_deadlock
def guest_moved(instance_uuid: str, generation: int, dest: str, node: str) -> int | None:
    """A guest went over although its request was superseded meanwhile: its server's row follows it.

    Interfaces and volumes follow by an operation of the destination, whose id is answered. None where the row says
    something newer, or the server is being deleted: then the guest is a stale one.
    """
    with writer():
        try:
            instance = instances.get(instance_uuid)
        except exception.InstanceNotFound:
            return None
        if instance.task_state == TaskState.DELETING:
            return None
        values = {"host": dest, "node": node, "generation": generation + 1}
        if not instances.update_if(instance_uuid, values, generation=generation):
            return None
        console_tokens.forget(instance_uuid)
        moved = instances.get(instance_uuid)
        moves.ended(moved)
        _claim_there(moved)
        number = arrivals.followed(instance, moved)
    LOG.warning("Guest %s arrived on %s after its request was superseded", instance_uuid, dest)
    return number


def has_come(instance: Instance, host: str, guest: Presence) -> bool:
    """Whether a live move that was given up brought the guest: of one that is on its way no processor runs here."""
    is_next = guest.generation == instance.generation + 1 and guest.power_state == PowerState.RUNNING
    return is_next and arrivals.sent_to(instance, host) is not None


def as_outlived(instance: Instance, host: str, found: Presence) -> Instance:
    """The row as newer than a guest that is proved to be what an evacuation that is over left on a host it asked.

    Only that one was to build there under the guest's generation, and no move since was to bring the server there.
    What else has come there since it left as well, and a row is never older than a guest that its server had.
    """
    if instance.is_deleted or instance.host == host or found.generation is None:
        return instance
    if found.generation < instance.generation or not _was_asked(instance, host, found.generation):
        return instance
    return instance.replace(generation=found.generation + 1)


def _was_asked(instance: Instance, host: str, generation: int) -> bool:
    last = migrations.last_at(instance.uuid, host)
    failed = last is not None and last.migration_type == MigrationType.EVACUATION and last.status in _FAILED
    if last is None or not failed or last.dest_compute != host or last.operation_id is None:
        return False
    with contextlib.suppress(exception.NotFound, exception.UnreadableObject):
        return bool(operations.get(last.operation_id).args.get("generation") == generation)
    return False


def may_have_only_copy(instance: Instance, host: str, found: Presence) -> bool:
    """Whether a move that was given up left there what may be nowhere else: its server is on another host, in error.

    What was made ready for a guest is nothing when the guest has been found at home.
    """
    if host == evacuations.keeper_of(instance):
        return True
    return evacuations.may_have_guest(instance, host) and (found.has_guest or not evacuations.was_found(instance))


def is_undecided(instance: Instance) -> bool:
    """Whether its guest may be on either side: that it is not on this one says nothing."""
    return arrivals.is_undecided(instance)


def followed(instance: Instance, dest: str) -> int | None:
    """:func:`guest_moved`, as the destination finds the guest: the source died before it could say so.

    What keeps one row from following keeps the host from no other guest.
    """
    last = arrivals.sent_to(instance, dest)
    if last is None or last.dest_node is None:
        return None
    try:
        return guest_moved(instance.uuid, instance.generation, dest, last.dest_node)
    except exception.NovaLiteError:
        LOG.exception("The row of %s cannot follow its guest to %s", instance.uuid, dest)
        return None


def _claim_there(instance: Instance) -> None:
    """Its move may have been given up before the guest arrived, and the claim be with the source, or a later move's."""
    node = compute_nodes.get_by_name(str(instance.host), str(instance.node))
    flavor = instance.flavor
    held = allocations.of_instance(instance.uuid)
    if [claim.node_uuid for claim in held] == [node.uuid]:
        return
    disk_gb = held[0].disk_gb if held else flavor.disk_gb
    allocations.release(instance.uuid)
    if not allocations.claim(node.uuid, instance.uuid, flavor.vcpus, flavor.memory_mb, disk_gb):
        LOG.error("Server %s is on %s, which has no room for it", instance.uuid, instance.host)


def cleaned(host: str, instance_uuids: Iterable[str]) -> None:
    """A host that was down has nothing left of these servers, which were evacuated from it."""
    wanted = set(instance_uuids)
    for migration in migrations.evacuated(host):
        if migration.instance_uuid in wanted:
            migrations.update_if(migration.uuid, {"status": MigrationStatus.COMPLETED}, MigrationStatus.DONE)
