"""Actions that are one driver call: the row of the table names the call, this dispatches and reports.

A hypervisor that did what it should and says then that it failed is not believed: the guest is. What has no deadline
is tried until it is done.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from nova_lite import exception
from nova_lite.compute import actions, outcome
from nova_lite.compute.host import ComputeHost
from nova_lite.compute.power_states import PowerState
from nova_lite.compute.steps import NotNow
from nova_lite.context import RequestContext
from nova_lite.objects import Instance, Operation

LOG = logging.getLogger(__name__)

# How long a guest may take to shut down before its power is cut, as Nova's [DEFAULT] shutdown_timeout.
SHUTDOWN_TIMEOUT_S = 60

# driver_call of the row: how it is called. The driver is the one this server's host has, whatever its kind.
_CALLS: dict[str, Callable[[Any, Instance, Operation], None]] = {
    "power_on": lambda driver, server, _: driver.power_on(server, server.network_info),
    "power_off": lambda driver, server, _: driver.power_off(server, SHUTDOWN_TIMEOUT_S),
    "reboot": lambda driver, server, op: driver.reboot(server, server.network_info, op.args.get("type") == "HARD"),
    "pause": lambda driver, server, _: driver.pause(server),
    "unpause": lambda driver, server, _: driver.unpause(server),
    "suspend": lambda driver, server, _: driver.suspend(server),
    "set_admin_password": lambda driver, server, op: driver.set_admin_password(server, op.args[actions.ADMIN_PASSWORD]),
    "inject_nmi": lambda driver, server, _: driver.inject_nmi(server),
    "resume": lambda driver, server, _: driver.resume(server, server.network_info),
}


# Of these the guest's power says whether it was done; one that is off may be suspended, or dead.
_SEEN = (actions.START, actions.STOP, actions.PAUSE, actions.UNPAUSE, actions.RESUME)


def can(row: actions.Action) -> bool:
    """Whether the row is one of these."""
    return row.driver_call in _CALLS


def perform(host: ComputeHost, ctxt: RequestContext, operation: Operation, instance: Instance) -> None:
    """Do it, and report what came of it. :raises StaleWrite: another worker overtook this one."""
    row = actions.by_name(operation.action, operation.args)
    outcome.carry_out(host, ctxt, operation, instance, lambda: _call(host, row, operation, instance))


def _call(host: ComputeHost, row: actions.Action, operation: Operation, instance: Instance) -> dict[str, Any] | None:
    if row is actions.SOFT_DELETE:
        return _switch_off(host, operation, instance)
    try:
        _CALLS[str(row.driver_call)](host.driver, instance, operation)
    except (exception.StaleWrite, exception.ServiceStopping):
        raise
    except Exception as error:
        if row not in _SEEN or host.driver.power_state(instance) != row.ends_power:
            raise
        LOG.warning("Guest %s: '%s' failed and is done: %s", instance.uuid, row.verb, error)
    return None


def _switch_off(host: ComputeHost, operation: Operation, instance: Instance) -> dict[str, Any]:
    """Whoever deleted a server was told that it goes: one without a guest is off, too.

    :raises NotNow: it runs still, or nobody knows.
    """
    try:
        if host.driver.find_guest(instance.uuid) is not None:
            _CALLS["power_off"](host.driver, instance, operation)
    except (exception.StaleWrite, exception.ServiceStopping):
        raise
    except Exception as error:
        raise NotNow from error
    return {"power_state": PowerState.SHUTDOWN}
