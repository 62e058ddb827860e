"""Reverting a resize or a cold migration: the destination forgets the server, the source takes its guest up again."""

from __future__ import annotations

import logging
from typing import Any

from nova_lite import exception
from nova_lite.compute import actions, outcome, volumes
from nova_lite.compute.host import ComputeHost
from nova_lite.context import RequestContext
from nova_lite.objects import Instance, Operation, Vif
from nova_lite.objects.migration import place

LOG = logging.getLogger(__name__)

_OVERTAKEN = (exception.StaleWrite, exception.ServiceStopping)
# There is one try more than there are rests.
_MOST_RESTS = 2


def again(host: ComputeHost, ctxt: RequestContext, operation: Operation, error: Exception) -> bool:
    """Put the turn down to try it again; False when it was tried often enough. :raises StaleWrite: overtaken."""
    if operation.rests >= _MOST_RESTS:
        return False
    outcome.try_later(host, ctxt, operation, "Going back", error)
    return True


def make_room(host: ComputeHost, ctxt: RequestContext, operation: Operation, instance: Instance) -> None:
    """After a move on one host: what it made goes before what it set aside is taken up, and never after that.

    It has gone, or this raises: what the move made would be taken for the server's disk. :raises StaleWrite: overtaken.
    """
    if actions.CLEARED_STEP not in operation.steps:
        host.driver.revert_migration(instance)  # type: ignore[attr-defined]
        host.conductor.progress(ctxt, operation.id, operation.attempt, actions.CLEARED_STEP, {})


def take_back(host: ComputeHost, ctxt: RequestContext, instance: Instance, power_on: bool) -> tuple[Vif, ...]:
    """On the source: the guest runs (or rests) on its own disks again; its interfaces here."""
    vifs = tuple(host.network.move(ctxt, instance, host.name))
    host.driver.finish_revert_migration(instance, vifs, power_on)  # type: ignore[attr-defined]
    return vifs


def take_over(host: ComputeHost, ctxt: RequestContext, operation: Operation, instance: Instance) -> dict[str, Any]:
    """:func:`take_back` by who has the turn, which takes the volumes from the other host; the server's new fields."""
    server = volumes.connect_for_good(host, ctxt, operation, instance)
    vifs = take_back(host, ctxt, server, operation.args["power_on"])
    return {"network_info": vifs, "block_devices": server.block_devices}


def revert(host: ComputeHost, ctxt: RequestContext, operation: Operation, instance: Instance) -> None:
    """Do this host's turn. :raises StaleWrite: overtaken."""
    turn = _leave if operation.args.get("stage") is None else _return
    try:
        outcome.require(host, actions.REVERT_RESIZE)
        turn(host, ctxt, operation, instance)
    except _OVERTAKEN:
        raise
    except Exception as error:  # noqa: BLE001 - tried again, then said
        if again(host, ctxt, operation, error):
            return
        if turn is _leave:
            _leave_anyway(host, ctxt, operation, instance, error)
        else:
            outcome.fail(host, ctxt, operation, instance, error)


def _leave(host: ComputeHost, ctxt: RequestContext, operation: Operation, instance: Instance) -> None:
    host.driver.revert_migration(instance)  # type: ignore[attr-defined]
    _hand_back(host, ctxt, operation, {})


def _leave_anyway(
    host: ComputeHost, ctxt: RequestContext, operation: Operation, instance: Instance, error: Exception
) -> None:
    """The copy here may be gone in part: the source has the only one that is surely whole.

    Its guest runs only if this one is surely off. What is left here is of an older generation.
    """
    LOG.error("What came of %s could not be removed from %s", instance.uuid, host.name, exc_info=error)
    why = {"reason": outcome.reason_of(error, actions.REVERT_RESIZE), "details": "", "code": 500}
    _hand_back(
        host, ctxt, operation, {"failure": why, "power_on": operation.args["power_on"] and _is_off(host, instance)}
    )


def _is_off(host: ComputeHost, instance: Instance) -> bool:
    try:
        return host.driver.find_guest(instance.uuid) is None
    except Exception:
        LOG.exception("Nobody knows whether %s runs on %s", instance.uuid, host.name)
        return False


def _hand_back(host: ComputeHost, ctxt: RequestContext, operation: Operation, more: dict[str, Any]) -> None:
    old = place(operation.args["old"])
    host.conductor.hand_over(
        ctxt, operation.id, operation.attempt, actions.REVERT_RESIZE.stages[0].name, old["host"], old, more
    )


def _return(host: ComputeHost, ctxt: RequestContext, operation: Operation, instance: Instance) -> None:
    there = operation.args["new"]["host"]
    if "failure" in operation.args and there == host.name:
        make_room(host, ctxt, operation, instance)
    values = take_over(host, ctxt, operation, instance)
    power_state = host.driver.power_state(instance)
    host.conductor.finish_operation(ctxt, operation.id, operation.attempt, power_state, values)
    if "failure" in operation.args and there != host.name:
        host.conductor.look_around(ctxt, there)
