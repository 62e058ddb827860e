"""Evacuation: the server of a dead host is built again on this one, under a newer generation, with what it had."""

from __future__ import annotations

import logging
from typing import Any

from nova_lite import exception
from nova_lite.compute import outcome, stale, steps, volumes
from nova_lite.compute.host import ComputeHost
from nova_lite.context import RequestContext
from nova_lite.objects import Instance, Operation, Vif

LOG = logging.getLogger(__name__)


def evacuate(host: ComputeHost, ctxt: RequestContext, operation: Operation, instance: Instance) -> None:
    """Build it, and report; after a failure nothing of this is left here, and the server is in error where it was.

    Its volumes are reserved for it then, on no host, until the host that it stays with is back.

    :raises StaleWrite: another worker overtook this one; what was built is undone.
    """
    args = operation.args
    server = instance.replace(host=host.name, node=args["dest_node"], generation=args["generation"])
    plan = _steps(host, ctxt, operation, server, instance.generation)
    report: dict[str, Any] = {}

    def record(step: str, values: dict[str, Any]) -> None:
        report.update(values)
        if step != plan[-1].name:
            host.conductor.progress(ctxt, operation.id, operation.attempt, step, {})
            return
        state = host.driver.power_state(server)
        host.conductor.finish_operation(ctxt, operation.id, operation.attempt, state, report)

    try:
        steps.run(plan, record, f"Evacuation of {server.uuid}")
    except (exception.StaleWrite, exception.ServiceStopping):
        raise
    except steps.NotNow as error:
        outcome.try_later(host, ctxt, operation, "An evacuation", error)
    except Exception as error:
        if _gave_back(host, ctxt, operation, instance):
            outcome.fail(host, ctxt, operation, instance, error)
        else:
            outcome.try_later(host, ctxt, operation, "An evacuation", error)


def _gave_back(host: ComputeHost, ctxt: RequestContext, operation: Operation, instance: Instance) -> bool:
    """Whether the interfaces are where the server's row says, and nothing holds volumes for it but what is there.

    :raises StaleWrite: somebody else has the turn, and them.
    """
    host.conductor.progress(ctxt, operation.id, operation.attempt, "undone", {})
    try:
        host.network.move(ctxt, instance, str(instance.host))
        if volumes.has_volumes(instance):
            volumes.drop_others(host, ctxt, host.conductor.look_again(ctxt, operation.id, operation.attempt))
    except exception.StaleWrite:
        raise
    except Exception:
        LOG.exception("What is bound of %s cannot be given back now", instance.uuid)
        return False
    return True


def _steps(
    host: ComputeHost, ctxt: RequestContext, operation: Operation, server: Instance, former: int
) -> tuple[steps.Step, ...]:
    vifs: list[Vif] = []
    # The server as it will be here.
    here = [server]

    def network() -> dict[str, Any]:
        vifs[:] = host.network.move(ctxt, server, host.name)
        return {"network_info": tuple(vifs)}

    def connect() -> dict[str, Any]:
        here[0] = volumes.connect_all(host, ctxt, operation, server, reserves=True)
        return {"block_devices": here[0].block_devices}

    def reserve() -> None:
        # What connect_all could neither finish nor undo is written down all the same.
        if here[0] is server and volumes.has_volumes(server):
            here[0] = host.conductor.look_again(ctxt, operation.id, operation.attempt)
        if volumes.held(here[0], host.name):
            volumes.disconnect_all(host, ctxt, operation, here[0])

    def disks() -> dict[str, Any]:
        host.driver.create_disks(ctxt, server)
        return {}

    def guest() -> dict[str, Any]:
        host.driver.spawn(here[0], tuple(vifs))
        if operation.args["stopped"]:
            host.driver.power_off(server, 0)  # type: ignore[attr-defined]
        return {}

    return (
        stale.clearing(host, operation, server, former),
        # Undone by who still has the turn only, see _gave_back.
        steps.Step("network", network, lambda: None),
        steps.Step("volumes", connect, reserve, lasts=True),
        steps.Step("disks", disks, lambda: host.driver.delete_disks(server)),
        steps.Step("guest", guest, lambda: host.driver.destroy(server)),
    )
