"""What a server becomes by its hypervisor's word."""

from __future__ import annotations

from typing import Any

import pytest

from nova_lite.compute import power_sync
from nova_lite.compute.power_states import PowerState
from tests.harness.database import make_instance


@pytest.mark.parametrize(
    ("vm_state", "power", "values"),
    [
        ("active", PowerState.RUNNING, {}),
        ("active", PowerState.SHUTDOWN, {"vm_state": "stopped", "power_state": 4}),
        ("active", PowerState.NOSTATE, {"vm_state": "stopped", "power_state": 4}),
        ("active", PowerState.CRASHED, {"vm_state": "stopped", "power_state": 6}),
        ("paused", PowerState.SHUTDOWN, {"vm_state": "stopped", "power_state": 4}),
        ("active", PowerState.PAUSED, {"vm_state": "paused", "power_state": 3}),
        ("paused", PowerState.RUNNING, {"vm_state": "active"}),
        ("suspended", PowerState.PAUSED, {"power_state": 3}),
        ("suspended", PowerState.SHUTDOWN, {"power_state": 4}),
    ],
)
def test_what_the_hypervisor_says_becomes(vm_state: str, power: PowerState, values: dict[str, Any]) -> None:
    assert power_sync.values(make_instance(vm_state=vm_state, power_state=1), power) == values


@pytest.mark.parametrize(("vm_state", "power"), [("active", PowerState.SHUTDOWN), ("paused", PowerState.RUNNING)])
def test_the_number_alone_is_not_the_state(vm_state: str, power: PowerState) -> None:
    """Whatever wrote the number down first."""
    assert "vm_state" in power_sync.values(make_instance(vm_state=vm_state, power_state=int(power)), power)
    assert not power_sync.values(make_instance(vm_state="stopped", power_state=4), PowerState.SHUTDOWN)
