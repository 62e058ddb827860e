"""What a host says of a guest that runs on it."""

from __future__ import annotations

from typing import cast

from nova_lite import exception
from nova_lite.compute import actions
from nova_lite.compute.power_states import PowerState
from nova_lite.objects import Diagnostics, Instance
from nova_lite.virt.driver import ComputeDriver, DiagnosticsDriver

_ROW = actions.GET_DIAGNOSTICS
# As Nova calls them where it refuses.
_WORDS = {
    PowerState.NOSTATE: "pending",
    PowerState.PAUSED: "paused",
    PowerState.SHUTDOWN: "shutdown",
    PowerState.CRASHED: "crashed",
    PowerState.SUSPENDED: "suspended",
}


def of(driver: ComputeDriver, instance: Instance) -> Diagnostics:
    """The hypervisor's counters of a running guest.

    :raises NotSupported: it counts nothing; :raises InstanceInvalidState: the guest does not run.
    """
    if _ROW.requires not in driver.capabilities:
        raise exception.NotSupported()
    power_state = driver.power_state(instance)
    if power_state != PowerState.RUNNING:
        raise exception.InstanceInvalidState(
            verb=_ROW.verb, instance_uuid=instance.uuid, attribute="power state",
            state=_WORDS.get(PowerState(power_state), "pending"),
        )  # fmt: skip
    return cast(DiagnosticsDriver, driver).diagnostics(instance)
