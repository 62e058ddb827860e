"""A resize that goes back on the host that it was to stay on: what is there may be all there is of the server."""

from __future__ import annotations

import pytest

from nova_lite.compute import resize
from tests.harness.database import make_instance
from tests.harness.lone_host import CTXT, NAME, LoneHost, operation


@pytest.mark.parametrize("handed_over", [False, True])
def test_a_resize_on_one_host_goes_back_to_the_disks_that_there_are(handed_over: bool) -> None:
    lone, server = LoneHost(), make_instance(host=NAME, node=NAME)
    lone.driver.create_disks(None, server)
    lone.driver.spawn(server, ())
    sent = {}
    if handed_over:
        sent["disks"] = lone.driver.migrate_disk_and_power_off(server, NAME, None, server.flavor)
        lone.driver.finish_migration(server, (), sent["disks"], True)
    side = {"host": NAME, "node": NAME}
    failure = {"reason": "no space", "details": "", "code": 500}
    undo = operation("resize", server, (), stage="undo", old=side, new=side, power_on=True, failure=failure, **sent)
    resize._undo(lone.host, CTXT, undo, server)
    assert lone.driver.power_state(server) == 1
    assert (lone.driver.disks, lone.driver.kept) == ({server.uuid}, {})
