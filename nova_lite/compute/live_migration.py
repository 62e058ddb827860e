"""Live migration on its two hosts, turn by turn: the destination makes ready, the source sends, the destination ends.

What a user asks of it meanwhile is read with each report of progress. The guest decides what happened: where it is
found, there its server lives, whoever was killed when.
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable
from typing import Any

from nova_lite import exception
from nova_lite.compute import actions, outcome, stale, volumes
from nova_lite.compute.host import ComputeHost
from nova_lite.context import RequestContext
from nova_lite.objects import BlockDevice, Instance, MigrationStatus, MigrationWish, Operation

LOG = logging.getLogger(__name__)

# What another turn goes on after: nobody undoes anything here.
_NOT_OURS = (exception.StaleWrite, exception.ServiceStopping)


def live_migrate(host: ComputeHost, ctxt: RequestContext, operation: Operation, instance: Instance) -> None:
    """Do this host's turn. :raises StaleWrite: another worker overtook this one, or the request was superseded."""
    _TURNS[operation.args["stage"]](host, ctxt, operation, instance)


def _check(host: ComputeHost, ctxt: RequestContext, operation: Operation, instance: Instance) -> None:
    """The destination's first turn."""
    try:
        outcome.require(host, actions.LIVE_MIGRATE)
        stale.make_room(host, instance)
    except _NOT_OURS:
        raise
    except Exception as error:  # noqa: BLE001 - whatever it is, nothing was made ready that might be taken back
        _refuse(host, ctxt, operation, instance, error)
        return
    arriving = _arriving(instance)
    driver: Any = host.driver
    try:
        args = operation.args
        facts = driver.check_can_live_migrate_destination(
            arriving, args["block_migration"], bool(args["disk_over_commit"])
        )
        _tell(host, ctxt, operation, instance, MigrationStatus.PREPARING)
        arriving = arriving.replace(block_devices=volumes.offer(host, ctxt, operation, instance))
        driver.pre_live_migration(arriving, instance.network_info, facts)
        more = {"facts": facts, "devices": [device.to_primitive() for device in arriving.block_devices]}
        host.conductor.hand_over(ctxt, operation.id, operation.attempt, "migrate", instance.host, {}, more)
    except exception.ServiceStopping:
        raise
    except exception.StaleWrite:
        _clear(host, ctxt, instance, arriving)
        raise
    except Exception as error:  # noqa: BLE001 - whatever it is, another host is tried
        _clear(host, ctxt, instance, arriving)
        _refuse(host, ctxt, operation, instance, error)


def _refuse(
    host: ComputeHost, ctxt: RequestContext, operation: Operation, instance: Instance, error: Exception
) -> None:
    LOG.warning("Server %s cannot migrate to this host: %s", instance.uuid, error)
    more = {"failure": _failure(error, instance)}
    host.conductor.hand_over(ctxt, operation.id, operation.attempt, "retry", None, {}, more)


def _migrate(host: ComputeHost, ctxt: RequestContext, operation: Operation, instance: Instance) -> None:
    """The source's turn: the guest goes, or stays as it was."""
    dest, driver = operation.args["dest"], host.driver
    try:
        outcome.require(host, actions.LIVE_MIGRATE)
        _tell(host, ctxt, operation, instance)
        report = _reporter(host, ctxt, operation, instance)
        driver.live_migrate(instance, dest, operation.args["facts"], report)  # type: ignore[attr-defined]
    except exception.ServiceStopping:
        raise
    except exception.StaleWrite:
        host.conductor.look_around(ctxt, dest)
        raise
    except Exception as error:
        wanted = isinstance(error, exception.LiveMigrationAborted)
        LOG.warning("Live migration of %s to %s: %s", instance.uuid, dest, error, exc_info=None if wanted else error)
        more = {"failure": _failure(error, instance)}
        host.conductor.hand_over(ctxt, operation.id, operation.attempt, "undo", dest, {}, more)
        return
    _leave(host, ctxt, operation, instance)


def _leave(host: ComputeHost, ctxt: RequestContext, operation: Operation, instance: Instance) -> None:
    """The guest has gone: its server's row follows it, even if the request was superseded in the last moment."""
    dest, node = operation.args["dest"], operation.args["dest_node"]
    try:
        host.driver.post_live_migration(instance)  # type: ignore[attr-defined]
    except Exception:
        # Nobody needs it any more; this host removes it when it looks around.
        LOG.exception("What server %s left behind could not be removed", instance.uuid)
    try:
        there = {"host": dest, "node": node}
        host.conductor.hand_over(ctxt, operation.id, operation.attempt, "finish", dest, there, _former(instance))
    except exception.StaleWrite:
        host.conductor.guest_moved(ctxt, instance.uuid, instance.generation, dest, node)
        raise


def _former(instance: Instance) -> dict[str, Any]:
    """What the source holds: the row forgets that before it is given up, and the turn may be broken off between."""
    return {"former": volumes.held(instance)}


def _finish(host: ComputeHost, ctxt: RequestContext, operation: Operation, instance: Instance) -> None:
    """The destination's last turn: the server lives here already, so that this is tried until it is done."""
    try:
        vifs = host.network.move(ctxt, instance, host.name)
        volumes.take(host, ctxt, operation, instance, _with_offered(instance, operation).block_devices)
    except _NOT_OURS:
        raise
    except Exception as error:
        outcome.try_later(host, ctxt, operation, "The end of a live migration", error)
        return
    outcome.carry_out(host, ctxt, operation, instance, lambda: {"network_info": vifs})
    # What it could not remove while the move was open, it may remove now.
    host.conductor.look_around(ctxt, operation.args["source"])


def _undo(host: ComputeHost, ctxt: RequestContext, operation: Operation, instance: Instance) -> None:
    """The source failed or is dead: take back what was made ready here, unless the guest has come all the same."""
    if not _roll_back(host, _arriving(instance)):
        LOG.info("Guest %s has arrived before its source failed", instance.uuid)
        there = {"host": host.name, "node": operation.args["dest_node"]}
        host.conductor.hand_over(ctxt, operation.id, operation.attempt, "finish", host.name, there, _former(instance))
        return
    try:
        _take_offer_back(host, ctxt, instance, _with_offered(instance, operation))
    except _NOT_OURS:
        raise
    except Exception as error:
        outcome.try_later(host, ctxt, operation, "The undoing of a live migration", error)
        return
    failure = operation.args["failure"]
    host.conductor.fail_operation(
        ctxt, operation.id, operation.attempt, failure["reason"], failure["details"], failure["code"]
    )


_TURNS: dict[str, Callable[[ComputeHost, RequestContext, Operation, Instance], None]] = {
    "check": _check,
    "migrate": _migrate,
    "finish": _finish,
    "undo": _undo,
}


def _with_offered(instance: Instance, operation: Operation) -> Instance:
    """The server with the devices that the destination made ready."""
    offered = operation.args.get("devices")
    if offered is None:
        return instance
    return instance.replace(block_devices=tuple(BlockDevice.from_primitive(device) for device in offered))


def _take_offer_back(host: ComputeHost, ctxt: RequestContext, instance: Instance, arriving: Instance) -> None:
    volumes.give_up(host, ctxt, set(volumes.held(arriving)) - set(volumes.held(instance)))


def _clear(host: ComputeHost, ctxt: RequestContext, instance: Instance, arriving: Instance) -> None:
    """What was made ready goes, unless the guest has come by it.

    Attachments that cannot be given up now go with the next move, or with the server.
    """
    if not _roll_back(host, arriving):
        return
    try:
        _take_offer_back(host, ctxt, instance, arriving)
    except exception.NovaLiteError:
        LOG.exception("Volumes of %s could not be given up", instance.uuid)


def _arriving(instance: Instance) -> Instance:
    """The server as it will be on the destination."""
    return instance.replace(generation=instance.generation + 1)


def _tell(
    host: ComputeHost,
    ctxt: RequestContext,
    operation: Operation,
    instance: Instance,
    status: MigrationStatus | None = None,
    numbers: dict[str, int] | None = None,
) -> str | None:
    """Say how far it got; what the user asks for, unless it is the end.

    :raises LiveMigrationAborted: it is, and nothing has begun; :raises StaleWrite: overtaken.
    """
    wish = host.conductor.report_migration(ctxt, operation.id, operation.attempt, status, numbers or {})
    if wish == MigrationWish.ABORT and numbers is None:
        raise exception.LiveMigrationAborted(instance_uuid=instance.uuid)
    return wish  # type: ignore[no-any-return]


def _reporter(
    host: ComputeHost, ctxt: RequestContext, operation: Operation, instance: Instance
) -> Callable[[dict[str, int]], None]:
    driver: Any = host.driver

    def report(numbers: dict[str, int]) -> None:
        wish = _tell(host, ctxt, operation, instance, None, numbers)
        if wish == MigrationWish.ABORT:
            driver.abort_live_migration(instance)
        elif wish == MigrationWish.FORCE_COMPLETE:
            driver.force_complete_live_migration(instance)

    return report


def _roll_back(host: ComputeHost, arriving: Instance) -> bool:
    """False: the guest has arrived. What cannot be taken back now goes when the host looks around."""
    if "live_migration" not in host.driver.capabilities:
        return True
    try:
        return host.driver.rollback_live_migration(arriving)  # type: ignore[attr-defined, no-any-return]
    except _NOT_OURS:
        raise
    except Exception:
        LOG.exception("What was made ready for %s could not be taken back", arriving.uuid)
        # One that was left here by an earlier move has not arrived.
        guest = host.driver.find_guest(arriving.uuid)
        return guest is None or guest.generation != arriving.generation


def _failure(error: Exception, instance: Instance) -> dict[str, Any]:
    ours = isinstance(error, exception.NovaLiteError) and (
        error.status < 500 or isinstance(error, (exception.NotSupported, exception.HypervisorUnavailable))
    )
    reason = str(error) if ours else f"Live migration of instance {instance.uuid} failed: {type(error).__name__}"
    details = "".join(traceback.format_exception(error))
    return {"reason": reason, "details": details, "code": getattr(error, "status", 500)}
