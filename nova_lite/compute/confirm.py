"""Confirming a resize or a cold migration: the source forgets the server, however often it must try."""

from __future__ import annotations

from nova_lite import exception
from nova_lite.compute import outcome
from nova_lite.compute.host import ComputeHost
from nova_lite.context import RequestContext
from nova_lite.objects import Instance, Operation


def confirm(host: ComputeHost, ctxt: RequestContext, operation: Operation, instance: Instance) -> None:
    """Remove what was set aside here; a failure puts the operation down for a while. :raises StaleWrite: overtaken."""
    try:
        host.driver.confirm_migration(instance)  # type: ignore[attr-defined]
    except (exception.StaleWrite, exception.ServiceStopping):
        raise
    except Exception as error:  # noqa: BLE001 - the server is well where it is: this can wait
        outcome.try_later(host, ctxt, operation, "Confirmation", error)
        return
    host.conductor.finish_operation(ctxt, operation.id, operation.attempt, instance.power_state, {})
