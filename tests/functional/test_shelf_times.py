"""How long a shelved server keeps its host: [DEFAULT] shelved_offload_time."""

from __future__ import annotations

import pathlib

import pytest

from nova_lite.compute.power_states import PowerState
from tests.harness.cloud import ADMIN, Cloud

SERVER = "OS-EXT-SRV-ATTR:host"


@pytest.mark.parametrize(("seconds", "ends"), [(-1, "SHELVED"), (1, "SHELVED_OFFLOADED")])
def test_the_shelf_may_be_on_the_host_for_a_while(tmp_path: pathlib.Path, seconds: int, ends: str) -> None:
    with Cloud(tmp_path, options={"DEFAULT": {"shelved_offload_time": seconds}}) as cloud:
        server = cloud.boot()
        assert cloud.act(server["id"], "shelve").status == 202
        shown = cloud.wait(server["id"], "SHELVED")
        assert shown["OS-EXT-STS:power_state"] == PowerState.SHUTDOWN and shown[SERVER] == "host1"
        shown = cloud.wait(server["id"], ends)
        if ends == "SHELVED":
            answer = cloud.act(server["id"], "unshelve", {"host": "host1"}, token=ADMIN)
            assert answer.status == 409 and "must be SHELVED_OFFLOADED" in answer.json["conflictingRequest"]["message"]
            assert cloud.act(server["id"], "unshelve").status == 202
            cloud.wait(server["id"], "ACTIVE")
            cloud.act(server["id"], "shelve")
            cloud.wait(server["id"], "SHELVED")
            assert cloud.act(server["id"], "shelveOffload").status == 403
            assert cloud.act(server["id"], "shelveOffload", token=ADMIN).status == 202
            cloud.wait(server["id"], "SHELVED_OFFLOADED")
        cloud.wait_quiet()
