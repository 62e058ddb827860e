"""An unshelving that fails on its host: it is not over before nothing of the server is bound there."""

from __future__ import annotations

from typing import Any

import pytest

from nova_lite import exception
from nova_lite.clock import utcnow
from nova_lite.compute.unshelve import unshelve
from nova_lite.objects import BlockDevice, Instance
from nova_lite.virt.fault_plan import FaultKind, FaultRule
from tests.harness.database import make_instance
from tests.harness.lone_host import CTXT, NAME, LoneHost, Volumes, operation


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


def test_an_unshelving_whose_volumes_stay_connected_is_not_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """The volume service broke off while they were connected, and while that was taken back."""
    lone = LoneHost(Volumes(kept="reserved"))
    device = BlockDevice("volume", "volume", uuid="v", volume_id="v", bdm_uuid="b", attachment_id="kept")
    server = make_instance(
        host=NAME, node=NAME, vm_state="shelved_offloaded", launched_at=utcnow(), block_devices=(device,)
    )

    def row(*_: Any) -> Instance:
        written = [each[-1] for each in lone.conductor.told if each[0] == "progress" and "block_devices" in each[-1]]
        return server.replace(**written[-1])

    def away(*_: Any) -> None:
        monkeypatch.setattr(lone.volumes, "attachment_create", away)
        raise exception.Unavailable("the volume service is away")

    lone.host.conductor.look_again = row  # type: ignore[method-assign]
    with monkeypatch.context() as patch:
        patch.setattr(lone.volumes, "attachment_complete", away)
        unshelve(lone.host, CTXT, operation("unshelve", server, (), stage="spawn"), server)
    assert lone.conductor.verbs()[-1] == "put_down" and row().block_devices[0].host == NAME
    monkeypatch.undo()
    lone.driver.plan.add(FaultRule("spawn", FaultKind.RAISE, times=1))
    unshelve(lone.host, CTXT, operation("unshelve", server, (), stage="spawn"), row())
    assert lone.conductor.verbs()[-1] == "fail_operation" and row().block_devices[0].host is None
    assert [*lone.volumes.attachments.values()] == ["reserved"]


def test_an_unshelving_whose_volume_service_is_away_from_the_start_has_failed() -> None:
    """Nothing was connected, so that nothing is to be given back."""
    lone = LoneHost(Volumes(kept="reserved"))
    device = BlockDevice("volume", "volume", uuid="v", volume_id="v", bdm_uuid="b", attachment_id="kept")
    server = make_instance(
        host=NAME, node=NAME, vm_state="shelved_offloaded", launched_at=utcnow(), block_devices=(device,)
    )

    def away(*_: Any) -> None:
        raise exception.Unavailable("the volume service is away")

    lone.volumes.attachments_of = away  # type: ignore[method-assign, assignment]
    lone.host.conductor.look_again = lambda *_: server  # type: ignore[method-assign]
    unshelve(lone.host, CTXT, operation("unshelve", server, (), stage="spawn"), server)
    assert lone.conductor.verbs()[-1] == "fail_operation" and lone.volumes.attachments == {"kept": "reserved"}


def test_an_unshelving_whose_volume_has_gone_has_failed() -> None:
    """It was claimed here before that; there is nothing to give back for ever."""
    lone = LoneHost()
    device = BlockDevice("volume", "volume", uuid="v", volume_id="v", bdm_uuid="b", attachment_id="lost", host=NAME)
    server = make_instance(
        host=NAME, node=NAME, vm_state="shelved_offloaded", launched_at=utcnow(), block_devices=(device,)
    )

    def gone(*_: Any) -> str:
        raise exception.VolumeNotFound(volume_id="v")

    lone.volumes.attachment_create = gone  # type: ignore[method-assign]
    lone.host.conductor.look_again = lambda *_: server  # type: ignore[method-assign]
    unshelve(lone.host, CTXT, operation("unshelve", server, (), stage="spawn"), server)
    assert lone.conductor.verbs()[-1] == "fail_operation"
    written = [each[-1] for each in lone.conductor.told if each[0] == "progress" and "block_devices" in each[-1]]
    assert written[-1]["block_devices"][0].host is None
