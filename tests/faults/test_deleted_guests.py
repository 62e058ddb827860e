"""Guests of servers that were deleted while their host was dead: [DEFAULT] running_deleted_instance_action."""

from __future__ import annotations

import pathlib

import pytest

from nova_lite.compute.power_states import PowerState
from tests.harness.cloud import Cloud

QUICK = {"heartbeat_interval_s": 0.2, "sweep_interval_s": 0.2, "power_sync_interval_s": 0.5}


@pytest.mark.parametrize("action", ["noop", "log", "shutdown", "reap"])
def test_what_becomes_of_the_guest_of_a_deleted_server_is_the_operators_choice(
    tmp_path: pathlib.Path, action: str
) -> None:
    options = {"operations": QUICK, "DEFAULT": {"running_deleted_instance_action": action}}
    with Cloud(tmp_path, options=options) as cloud:
        server = cloud.boot()["id"]
        cloud.silence("host1")
        assert cloud.delete(f"/servers/{server}").status == 204
        cloud.wait_gone(server)
        driver = cloud.revive("host1")
        if action == "reap":
            assert not driver.guests and not driver.disks
            return
        guest = driver.guests[server]
        assert server in driver.disks
        assert guest.power_state == (PowerState.SHUTDOWN if action == "shutdown" else PowerState.RUNNING)
        assert bool(guest.quarantine) == (action == "shutdown")
