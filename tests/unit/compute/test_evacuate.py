"""An evacuation that fails on its new host: it is not over before the interfaces are where the server is."""

from __future__ import annotations

from nova_lite.compute.evacuate import evacuate
from nova_lite.virt.fault_plan import FaultKind, FaultRule
from tests.harness.database import make_instance
from tests.harness.lone_host import CTXT, NAME, LoneHost, operation


def test_an_evacuation_whose_ports_do_not_return_is_not_over() -> None:
    lone, server = LoneHost(), make_instance(host="dead", node="dead", generation=3)
    lone.driver.plan.add(FaultRule("spawn", FaultKind.RAISE, times=2))
    lone.network.fails.append("move to dead")
    for verb in ("put_down", "fail_operation"):
        args = {"dest": NAME, "dest_node": NAME, "generation": 4, "stopped": False}
        evacuate(lone.host, CTXT, operation("evacuate", server, (), **args), server)
        assert lone.conductor.verbs()[-1] == verb
    assert lone.network.moved == [NAME, NAME, "dead"]
    assert not lone.driver.guests and not lone.driver.disks
