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


def test_a_server_whose_guest_was_taken_off_the_host_is_made_of_its_image() -> None:
    """Its way off the shelf's host was given up: ports and volumes are bound nowhere, its disks may be gone."""
    lone, server = LoneHost(), make_instance(host=NAME, node=NAME, vm_state="shelved")
    unshelve(lone.host, CTXT, operation("unshelve", server, (), stage="start"), server)
    assert lone.conductor.verbs()[-1] == "finish_operation"
    assert (lone.network.moved, [*lone.driver.guests], lone.driver.disks) == ([NAME], [server.uuid], {server.uuid})


def test_a_server_that_is_still_on_its_host_is_started() -> None:
    lone, server = LoneHost(), make_instance(host=NAME, node=NAME, vm_state="shelved")
    lone.driver.create_disks(None, server)
    lone.driver.spawn(server, ())
    lone.driver.power_off(server, 0)
    unshelve(lone.host, CTXT, operation("unshelve", server, (), stage="start"), server)
    calls = [call for call, _ in lone.driver.plan.calls]
    assert (calls.count("create_disks"), calls.count("spawn")) == (1, 1)
    assert lone.driver.power_state(server) == 1


def test_a_disk_that_an_evacuated_host_could_not_remove_is_not_what_is_unshelved() -> None:
    lone, server = LoneHost(), make_instance(host=NAME, node=NAME, vm_state="shelved_offloaded", generation=5)
    former = server.replace(generation=2)
    lone.driver.create_disks(None, former)
    lone.driver.roots[server.uuid] = "of before"
    lone.driver.spawn(former, ())
    unshelve(lone.host, CTXT, operation("unshelve", server, (), stage="spawn"), server)
    assert lone.conductor.verbs()[-1] == "finish_operation"
    assert lone.driver.roots[server.uuid] != "of before" and lone.driver.guests[server.uuid].generation == 5


def test_an_unshelving_that_fails_removes_no_disk_that_it_did_not_make() -> None:
    """A way off its host was given up before the disk went, and the image has gone since."""
    lone, server = LoneHost(), make_instance(host=NAME, node=NAME, vm_state="shelved")
    lone.driver.create_disks(None, server)
    for steps in ((), ("network", "volumes", "disks")):
        lone.driver.plan.add(FaultRule("spawn", FaultKind.RAISE, times=1))
        unshelve(lone.host, CTXT, operation("unshelve", server, steps, stage="start"), server)
        assert lone.conductor.verbs()[-1] == "fail_operation" and lone.driver.disks == {server.uuid}
