"""A delete on its host: guest first, then interfaces, disks and volumes, tried until nothing is left."""

from __future__ import annotations

import pytest

from nova_lite.compute.delete import delete
from nova_lite.objects import BlockDevice, Instance
from nova_lite.virt.fault_plan import FaultKind, FaultRule
from tests.harness.database import make_instance
from tests.harness.lone_host import CTXT, NAME, LoneHost, Volumes, operation

VOLUME = BlockDevice("volume", "volume", volume_id="v", bdm_uuid="b", attachment_id="mine", host=NAME)


def _booted() -> tuple[LoneHost, Instance]:
    lone, server = LoneHost(Volumes(mine="attached")), make_instance(host=NAME, block_devices=(VOLUME,))
    lone.driver.create_disks(CTXT, server)
    lone.driver.spawn(server, lone.network.allocate(CTXT, server, ()))
    return lone, server


def test_nothing_is_left() -> None:
    lone, server = _booted()
    delete(lone.host, CTXT, operation("delete", server), server)
    assert lone.is_empty() and lone.conductor.verbs() == ["finish_delete"]
    calls = [call for call, _ in lone.driver.plan.calls]
    assert calls.index("destroy") < calls.index("delete_disks")


@pytest.mark.parametrize("call", ["destroy", "delete_disks", "deallocate"])
def test_it_is_tried_until_nothing_is_left(call: str) -> None:
    lone, server = _booted()
    lone.network.fails.append(call)
    lone.driver.plan.add(FaultRule(call, FaultKind.RAISE, times=1))
    delete(lone.host, CTXT, operation("delete", server), server)
    assert lone.conductor.verbs() == ["put_down"] and not lone.is_empty()
    delete(lone.host, CTXT, operation("delete", server), server)
    assert lone.is_empty() and lone.conductor.verbs()[-1] == "finish_delete"


def test_the_next_host_that_keeps_something_has_its_turn() -> None:
    lone, server = _booted()
    delete(lone.host, CTXT, operation("delete", server, also=["there", "yonder"]), server)
    assert lone.conductor.told[-1][0] == "hand_over" and lone.conductor.told[-1][3:5] == ("rest", "there")
    assert lone.volumes.attachments, "who is last gives the volumes back"
