"""Doing an action's work on its host and telling the conductor what came of it."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable
from typing import Any

from nova_lite import exception
from nova_lite.compute import actions
from nova_lite.compute.host import ComputeHost
from nova_lite.compute.steps import NotNow
from nova_lite.context import RequestContext
from nova_lite.objects import Instance, Operation

LOG = logging.getLogger(__name__)


def carry_out(
    host: ComputeHost,
    ctxt: RequestContext,
    operation: Operation,
    instance: Instance,
    work: Callable[[], dict[str, Any] | None],
) -> None:
    """Do the last (or only) turn of an action: ``work`` answers the server's fields that it changed, or raises.

    :raises StaleWrite: another worker overtook this one; :raises ServiceStopping: the work goes on after the restart.
    """
    try:
        require(host, actions.by_name(operation.action, operation.args))
        values = work() or {}
        power_state = values.pop("power_state", None)
        if power_state is None:
            power_state = host.driver.power_state(instance)
    except (exception.StaleWrite, exception.ServiceStopping):
        raise
    except NotNow as error:
        try_later(host, ctxt, operation, f"'{actions.by_name(operation.action, operation.args).verb}'", error)
        return
    except Exception as error:
        fail(host, ctxt, operation, instance, error)
        return
    host.conductor.finish_operation(ctxt, operation.id, operation.attempt, power_state, values)


def require(host: ComputeHost, row: actions.Action) -> None:
    """:raises NotSupported: the hypervisor has not what the row requires. Users read it, so it names no host."""
    if row.requires is not None and row.requires not in host.driver.capabilities:
        raise exception.NotSupported(f"The hypervisor of the server's host cannot '{row.verb}'.")


def fail(
    host: ComputeHost, ctxt: RequestContext, operation: Operation, instance: Instance, error: Exception
) -> None:
    """Report a failure for good: our own refusals in their words, a fault of ours without its insides."""
    row = actions.by_name(operation.action, operation.args)
    if is_refusal(error):
        LOG.warning("Action %s of %s is refused: %s", row.name, instance.uuid, error)
        details = ""
    else:
        LOG.error("Action %s of %s failed", row.name, instance.uuid, exc_info=error)
        details = "".join(traceback.format_exception(error))
    host.conductor.fail_operation(
        ctxt, operation.id, operation.attempt, reason_of(error, row), details, getattr(error, "status", 500)
    )


def is_refusal(error: Exception) -> bool:
    """Whether it is our own word about what was asked, in which nothing went wrong that somebody should look at."""
    ours = isinstance(error, exception.NovaLiteError) and error.status < 500
    return ours or isinstance(error, exception.NotSupported)


def reason_of(error: Exception, row: actions.Action) -> str:
    """A sentence that a user may read: our own refusals as they are, a fault of ours without its insides."""
    if is_refusal(error):
        return str(error)
    return f"Action '{row.verb}' failed: {type(error).__name__}"


def try_later(host: ComputeHost, ctxt: RequestContext, operation: Operation, what: str, error: Exception) -> None:
    """Put down for a while what is tried until it is done. :raises StaleWrite: overtaken."""
    LOG.error("%s of %s failed; it is tried again", what, operation.instance_uuid, exc_info=error)
    kind = type(error.__cause__ or error if isinstance(error, NotNow) else error).__name__
    put_down(host, ctxt, operation, f"{what} failed on {host.name}: {kind}; it is tried again.")


def put_down(host: ComputeHost, ctxt: RequestContext, operation: Operation, message: str) -> None:
    """Let an operation rest for as long as its row says. :raises StaleWrite: overtaken."""
    row = actions.by_name(operation.action, operation.args)
    rest_s = row.backoff.rest_s(operation.rests, operation.id)
    LOG.info("Operation %d rests for %.0f s: %s", operation.id, rest_s, message)
    host.conductor.put_down(ctxt, operation.id, operation.attempt, rest_s, message)
