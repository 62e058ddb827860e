"""An unshelving that fails on its host: it is not over before nothing of the server is bound there."""

from __future__ import annotations

from nova_lite.compute.unshelve import unshelve
from nova_lite.virt.fault_plan import FaultKind, FaultRule
from tests.harness.database import make_instance
from tests.harness.lone_host import CTXT, NAME, LoneHost, operation


def test_an_unshelving_whose_ports_stay_bound_is_not_over() -> None:
    lone, server = LoneHost(), make_instance(host=NAME, node=NAME, vm_state="shelved_offloaded")
    lone.network.ports["port"] = server.uuid
    lone.driver.plan.add(FaultRule("spawn", FaultKind.RAISE, times=2))
    lone.network.fails.append("unbind")
    for verb in ("put_down", "fail_operation"):
        unshelve(lone.host, CTXT, operation("unshelve", server, (), stage="spawn"), server)
        assert lone.conductor.verbs()[-1] == verb
    assert lone.is_empty()
