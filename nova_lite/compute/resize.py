"""Resize and cold migration, a function a turn: the destination agrees, the source hands over, the destination builds.

``operation.args``: ``old`` and ``new`` are the two sides (host, node, availability zone, flavor), ``power_on`` whether
the guest shall run, ``disks`` what the source says of the disks, ``failure`` why the move is undone.
"""

from __future__ import annotations

import logging
import traceback
from typing import Any

from nova_lite import exception
from nova_lite.compute import actions, outcome, reconcile, stale, volumes
from nova_lite.compute.host import ComputeHost
from nova_lite.compute.revert import again, make_room, take_back, take_over
from nova_lite.compute.task_states import TaskState
from nova_lite.context import RequestContext
from nova_lite.objects import Instance, Operation
from nova_lite.objects.migration import place

LOG = logging.getLogger(__name__)

_OVERTAKEN = (exception.StaleWrite, exception.ServiceStopping)


def resize(host: ComputeHost, ctxt: RequestContext, operation: Operation, instance: Instance) -> None:
    """Do this host's turn. :raises StaleWrite: overtaken; this host is left as the journal wants it."""
    _TURNS[operation.args["stage"]](host, ctxt, operation, instance)


def _agree(host: ComputeHost, ctxt: RequestContext, operation: Operation, instance: Instance) -> None:
    """The destination says whether it can, and has room: nothing of the server is here; if not, another is chosen."""
    row = actions.by_name(operation.action)
    try:
        outcome.require(host, row)
        if operation.args["old"]["host"] != host.name:
            stale.make_room(host, instance)
    except _OVERTAKEN:
        raise
    except Exception as error:  # noqa: BLE001 - whatever it is, nothing was sent yet
        LOG.warning("Server %s cannot move to this host: %s", instance.uuid, error)
        ignored = sorted({*operation.args.get("ignore_hosts", ()), host.name})
        reason = outcome.reason_of(error, row)
        more = {"ignore_hosts": ignored, "lacking": reason, "failure": {"reason": reason, "details": ""}}
        host.conductor.hand_over(ctxt, operation.id, operation.attempt, "schedule", None, {}, more)
        return
    address = host.driver.inventory().host_ip
    old = operation.args["old"]
    host.conductor.hand_over(ctxt, operation.id, operation.attempt, "resize", old["host"], {}, {"address": address})


def _hand_disks_over(host: ComputeHost, ctxt: RequestContext, operation: Operation, instance: Instance) -> None:
    """The source stops its guest and sends its disks; the server is the destination's from then on."""
    try:
        _send(host, ctxt, operation, instance)
    except exception.StaleWrite:
        # The move was given up, and the server is still here: a delete that comes after us removes it.
        if reconcile.keeps(host, ctxt, instance):
            take_back(host, ctxt, instance, operation.args["power_on"])
        raise


def _send(host: ComputeHost, ctxt: RequestContext, operation: Operation, instance: Instance) -> None:
    new = place(operation.args["new"])
    try:
        outcome.require(host, actions.by_name(operation.action))
        disks = host.driver.migrate_disk_and_power_off(  # type: ignore[attr-defined]
            instance, new["host"], operation.args.get("address"), new["flavor"]
        )
    except Exception as error:  # noqa: BLE001 - whatever it is, the source takes its guest up again
        _go_back(host, ctxt, operation, error, {})
        return
    values = {**new, "task_state": TaskState.RESIZE_MIGRATED}
    host.conductor.hand_over(ctxt, operation.id, operation.attempt, "finish", new["host"], values, {"disks": disks})


def _build(host: ComputeHost, ctxt: RequestContext, operation: Operation, instance: Instance) -> None:
    """The destination builds the guest on what came; where it cannot, nothing is left of it here."""
    try:
        vifs = host.network.move(ctxt, instance, host.name)
        instance = volumes.connect_all(host, ctxt, operation, instance, keeps=True)
        host.driver.finish_migration(  # type: ignore[attr-defined]
            instance, vifs, operation.args["disks"], operation.args["power_on"]
        )
        power_state = host.driver.power_state(instance)
    except _OVERTAKEN:  # what is here is the journal's to say: nothing of it is undone
        raise
    except Exception as error:  # noqa: BLE001 - whatever it is, the server goes back to its source
        _clear(host, instance)
        _go_back(host, ctxt, operation, error, place(operation.args["old"]))
        return
    values = {"network_info": tuple(vifs), "block_devices": instance.block_devices}
    host.conductor.finish_operation(ctxt, operation.id, operation.attempt, power_state, values)


def _clear(host: ComputeHost, instance: Instance) -> None:
    """What cannot be removed now is removed when this host starts again: it is of an older generation."""
    if "migrate" not in host.driver.capabilities:
        return
    try:
        host.driver.revert_migration(instance)  # type: ignore[attr-defined]
    except Exception:
        LOG.exception("What came of %s could not be removed from %s", instance.uuid, host.name)


def _go_back(
    host: ComputeHost, ctxt: RequestContext, operation: Operation, error: Exception, values: dict[str, Any]
) -> None:
    """Pass the turn to the source, which takes its guest up again.

    :raises StaleWrite, ServiceStopping: ``error`` is that: this worker has no say any more.
    """
    if isinstance(error, _OVERTAKEN):
        raise error
    LOG.error("Move of %s failed on %s", operation.instance_uuid, host.name, exc_info=error)
    failure = {
        "reason": outcome.reason_of(error, actions.by_name(operation.action)),
        "details": "".join(traceback.format_exception(error)),
        "code": getattr(error, "status", 500),
    }
    source = operation.args["old"]["host"]
    host.conductor.hand_over(ctxt, operation.id, operation.attempt, "undo", source, values, {"failure": failure})


def _undo(host: ComputeHost, ctxt: RequestContext, operation: Operation, instance: Instance) -> None:
    """The source takes its guest up again."""
    there = operation.args["new"]["host"]
    try:
        # A hypervisor that cannot move guests has not touched this one.
        able = "migrate" in host.driver.capabilities
        # Before the disks were handed over, what is here is all there is of it.
        if able and there == host.name and "disks" in operation.args:
            make_room(host, ctxt, operation, instance)
        values = take_over(host, ctxt, operation, instance) if able else {}
    except _OVERTAKEN:
        raise
    except Exception as error:  # noqa: BLE001 - tried again, then said
        if not again(host, ctxt, operation, error):
            reason = f"{operation.args['failure']['reason']} Its guest could not be brought back."
            details = "".join(traceback.format_exception(error))
            host.conductor.fail_operation(ctxt, operation.id, operation.attempt, reason, details, 500)
        return
    host.conductor.progress(ctxt, operation.id, operation.attempt, "undone", values)
    if there != host.name:
        host.conductor.hand_over(ctxt, operation.id, operation.attempt, "clear", there, {}, {})
    else:
        _end(host, ctxt, operation)


def _forget(host: ComputeHost, ctxt: RequestContext, operation: Operation, instance: Instance) -> None:
    """The destination removes what came, and the move ends."""
    _clear(host, instance)
    _end(host, ctxt, operation)


def _end(host: ComputeHost, ctxt: RequestContext, operation: Operation) -> None:
    """The move is undone: say why it failed."""
    why = operation.args["failure"]
    host.conductor.fail_operation(ctxt, operation.id, operation.attempt, why["reason"], why["details"], why["code"])


_TURNS = {"prep": _agree, "resize": _hand_disks_over, "finish": _build, "undo": _undo, "clear": _forget}
