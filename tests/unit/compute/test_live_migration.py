"""What a destination takes for a guest that has come."""

from __future__ import annotations

import pytest

from nova_lite.compute import live_migration
from nova_lite.virt.fault_plan import FaultKind, FaultRule
from tests.harness.database import make_instance
from tests.harness.lone_host import LoneHost


@pytest.mark.parametrize(("here", "may_be_cleared"), [(None, True), (1, True), (2, False)])
def test_a_guest_that_an_earlier_move_left_here_has_not_come(here: int | None, may_be_cleared: bool) -> None:
    """What was made ready could not be taken back. Its row would follow a stale guest, and the whole one be removed."""
    lone, arriving = LoneHost(), make_instance(generation=2)
    if here is not None:
        lone.driver.create_disks(None, arriving)
        lone.driver.spawn(arriving.replace(generation=here), ())
    lone.driver.plan.add(FaultRule("rollback_live_migration", FaultKind.RAISE))
    assert live_migration._roll_back(lone.host, arriving) is may_be_cleared
