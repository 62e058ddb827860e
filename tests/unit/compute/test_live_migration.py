"""What a destination has of a server before its guest comes, and what it takes for a guest that has come."""

from __future__ import annotations

import pytest

from nova_lite.compute import live_migration
from nova_lite.virt.fault_plan import FaultKind, FaultRule
from tests.harness.database import make_instance
from tests.harness.lone_host import CTXT, LoneHost, operation


@pytest.mark.parametrize(("here", "may_be_cleared"), [(None, True), (1, True), (2, False)])
def test_a_guest_that_an_earlier_move_left_here_has_not_come(here: int | None, may_be_cleared: bool) -> None:
    """What was made ready could not be taken back. Its row would follow a stale guest, and the whole one be removed."""
    lone, arriving = LoneHost(), make_instance(generation=2)
    if here is not None:
        lone.driver.create_disks(None, arriving)
        lone.driver.spawn(arriving.replace(generation=here), ())
    lone.driver.plan.add(FaultRule("rollback_live_migration", FaultKind.RAISE))
    assert live_migration._roll_back(lone.host, arriving) is may_be_cleared


@pytest.mark.parametrize(("here", "goes"), [(None, True), (2, True), (3, False), (9, False)])
def test_a_destination_with_a_guest_that_may_not_be_stale_touches_nothing(here: int | None, goes: bool) -> None:
    """An older copy of the database sent a server to where its newer guest was, whose disks the way back removed."""
    lone, server = LoneHost(), make_instance(host="there", node="there", generation=3)
    lone.driver.create_disks(None, server)
    lone.driver.roots[server.uuid] = "of before"
    if here is not None:
        lone.driver.spawn(server.replace(generation=here), ())
    begun = operation("live-migration", server, (), stage="check", block_migration=None, disk_over_commit=False)
    live_migration.live_migrate(lone.host, CTXT, begun, server)
    told = lone.conductor.told[-1]
    assert told[3] == ("migrate" if goes else "retry")
    if goes:
        assert lone.driver.roots[server.uuid] != "of before" and not lone.driver.guests
        assert lone.driver.incoming == {server.uuid: 4}
    else:
        assert "not known to be stale" in told[6]["failure"]["reason"]
        assert lone.driver.roots[server.uuid] == "of before" and lone.driver.guests[server.uuid].generation == here
