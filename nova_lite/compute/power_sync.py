"""What a server becomes by its hypervisor's word, while nothing is being done to it."""

from __future__ import annotations

from typing import Any

from nova_lite.compute.power_states import PowerState
from nova_lite.compute.vm_states import VmState
from nova_lite.objects import Instance

_STOPPED = (PowerState.SHUTDOWN, PowerState.CRASHED, PowerState.NOSTATE)
# What a server becomes whose guest stands still, or does not any more, although nobody asked.
_STANDS_STILL: dict[tuple[str, int], dict[str, Any]] = {
    (VmState.ACTIVE, PowerState.PAUSED): {"vm_state": VmState.PAUSED},
    (VmState.PAUSED, PowerState.RUNNING): {"vm_state": VmState.ACTIVE},
}


def values(instance: Instance, power_state: int) -> dict[str, Any]:
    """What changes in a server's row when the hypervisor says ``power_state``; empty where it says so already.

    The database wins for a guest that was started behind the cloud's back (only the number is kept); a guest that
    stopped by itself is stopped. One that stands still, or does not any more, is taken at its word: a pause that was
    given up may have come late, and a user can undo what is seen.
    """
    found: dict[str, Any] = {} if instance.power_state == power_state else {"power_state": power_state}
    if power_state in _STOPPED and instance.vm_state in (VmState.ACTIVE, VmState.PAUSED):
        found["vm_state"] = VmState.STOPPED
        found["power_state"] = PowerState.CRASHED if power_state == PowerState.CRASHED else PowerState.SHUTDOWN
    else:
        found |= _STANDS_STILL.get((instance.vm_state, power_state), {})
    return found
