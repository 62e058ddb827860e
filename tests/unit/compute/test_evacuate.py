"""An evacuation that fails on its new host: it is not over before the interfaces are where the server is."""

from __future__ import annotations

from typing import Any

from nova_lite import exception
from nova_lite.compute.evacuate import evacuate
from nova_lite.objects import BlockDevice
from nova_lite.virt.fault_plan import FaultKind, FaultRule
from tests.harness.database import make_instance
from tests.harness.lone_host import CTXT, NAME, LoneHost, Volumes, operation

ARGS: dict[str, Any] = {"dest": NAME, "dest_node": NAME, "generation": 4, "stopped": False}
VOLUME = BlockDevice("volume", "volume", volume_id="v", bdm_uuid="b", attachment_id="old", host="dead")


def test_an_evacuation_whose_ports_do_not_return_is_not_over() -> None:
    lone, server = LoneHost(), make_instance(host="dead", node="dead", generation=3)
    lone.driver.plan.add(FaultRule("spawn", FaultKind.RAISE, times=2))
    lone.network.fails.append("move to dead")
    for verb in ("put_down", "fail_operation"):
        evacuate(lone.host, CTXT, operation("evacuate", server, (), **ARGS), server)
        assert lone.conductor.verbs()[-1] == verb
    assert lone.network.moved == [NAME, NAME, "dead"]
    assert not lone.driver.guests and not lone.driver.disks


class _Refusing(Volumes):
    """What the dead host held cannot be given up so many times."""

    def __init__(self, times: int) -> None:
        super().__init__(old="attached")
        self.times = times

    def attachment_delete(self, ctxt: Any, attachment_id: str) -> None:
        if attachment_id == "old" and self.times:
            self.times -= 1
            raise exception.Unavailable("no")
        super().attachment_delete(ctxt, attachment_id)


def test_what_the_dead_host_held_is_given_up_before_a_failed_evacuation_is_over() -> None:
    """The row has the attachment that this host made by now: nobody else would know the former one."""
    volumes = _Refusing(2)
    lone, server = LoneHost(volumes), make_instance(host="dead", node="dead", generation=3, block_devices=(VOLUME,))
    lone.conductor.answers["look_again"] = server.replace(block_devices=(VOLUME.replace(attachment_id="new-1"),))
    evacuate(lone.host, CTXT, operation("evacuate", server, (), **ARGS), server)
    assert lone.conductor.verbs()[-1] == "put_down" and [*volumes.attachments] == ["old"]
    volumes.times = 1
    evacuate(lone.host, CTXT, operation("evacuate", server, (), **ARGS), server)
    assert lone.conductor.verbs()[-1] == "fail_operation" and volumes.attachments == {}
