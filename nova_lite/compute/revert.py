"""Reverting a resize or a cold migration: the destination forgets the server, the source takes its guest up again."""

from __future__ import annotations

from typing import Any

from nova_lite import exception
from nova_lite.compute import actions, outcome, volumes
from nova_lite.compute.host import ComputeHost
from nova_lite.context import RequestContext
from nova_lite.objects import Instance, Operation, Vif
from nova_lite.objects.migration import place

_OVERTAKEN = (exception.StaleWrite, exception.ServiceStopping)
# There is one try more than there are rests.
_MOST_RESTS = 2


def again(host: ComputeHost, ctxt: RequestContext, operation: Operation, error: Exception) -> bool:
    """Put the turn down to try it again; False when it was tried often enough. :raises StaleWrite: overtaken."""
    if operation.rests >= _MOST_RESTS:
        return False
    outcome.try_later(host, ctxt, operation, "Going back", error)
    return True


def take_back(host: ComputeHost, ctxt: RequestContext, instance: Instance, power_on: bool) -> tuple[Vif, ...]:
    """On the source: the guest runs (or rests) on its own disks again; its interfaces here."""
    vifs = tuple(host.network.move(ctxt, instance, host.name))
    host.driver.finish_revert_migration(instance, vifs, power_on)  # type: ignore[attr-defined]
    return vifs


def take_over(
    host: ComputeHost, ctxt: RequestContext, operation: Operation, instance: Instance
) -> dict[str, Any]:
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
        if not again(host, ctxt, operation, error):
            outcome.fail(host, ctxt, operation, instance, error)


def _leave(host: ComputeHost, ctxt: RequestContext, operation: Operation, instance: Instance) -> None:
    host.driver.revert_migration(instance)  # type: ignore[attr-defined]
    old = place(operation.args["old"])
    host.conductor.hand_over(
        ctxt, operation.id, operation.attempt, actions.REVERT_RESIZE.stages[0].name, old["host"], old, {}
    )


def _return(host: ComputeHost, ctxt: RequestContext, operation: Operation, instance: Instance) -> None:
    values = take_over(host, ctxt, operation, instance)
    power_state = host.driver.power_state(instance)
    host.conductor.finish_operation(ctxt, operation.id, operation.attempt, power_state, values)
