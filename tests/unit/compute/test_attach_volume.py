"""A swap on its host: once the guest has the new volume, there is no way back. Who was overtaken undoes nothing."""

from __future__ import annotations

from typing import Any
from unittest import mock

import pytest

from nova_lite import exception
from nova_lite.compute.attach_volume import attach, detach, swap
from nova_lite.objects import BlockDevice, Instance
from nova_lite.virt.fault_plan import FaultKind, FaultRule
from tests.harness.database import make_instance
from tests.harness.lone_host import CTXT, NAME, LoneHost, Volumes, operation

OLD = BlockDevice(
    source_type="volume", destination_type="volume", uuid="old", volume_id="old", attachment_id="a-old", bdm_uuid="bdm",
    host=NAME, connection={"driver_volume_type": "fake", "data": {}},
)  # fmt: skip
NEW = OLD.replace(uuid="new", volume_id="new", attachment_id="a-new")


class _Failing(Volumes):
    """It does not answer while the new volume is connected; marks are kept nowhere."""

    def __init__(self) -> None:
        super().__init__(**{"a-old": "attached", "a-new": "reserved"})
        self.fails = {"attachment_update"}

    def attachment_complete(self, ctxt: Any, attachment_id: str) -> None:
        if "attachment_complete" in self.fails:
            raise exception.Unavailable("attachment_complete failed")
        super().attachment_complete(ctxt, attachment_id)

    def roll_detaching(self, ctxt: object, volume_id: str) -> None:
        """Of no interest here."""


def _swapping() -> tuple[LoneHost, Instance]:
    lone, server = LoneHost(_Failing()), make_instance(host=NAME, block_devices=(OLD,))
    lone.driver.create_disks(CTXT, server)
    lone.driver.spawn(server, ())
    return lone, server


def _swap(lone: LoneHost, server: Instance, *steps: str, **more: str) -> None:
    args: dict[str, Any] = {"bdm_uuid": "bdm", "volume_id": "new", "attachment_id": "a-new", "volume_size": 1, **more}
    swap(lone.host, CTXT, operation("swap_volume", server, steps, **args), server)


def test_a_swap_that_did_not_begin_gives_the_new_volume_back() -> None:
    lone, server = _swapping()
    _swap(lone, server)
    assert lone.conductor.verbs()[-1] == "fail_operation"
    assert [*lone.volumes.attachments] == ["a-old"]


def test_whether_a_volume_is_copied_is_said_before_and_after() -> None:
    """Whoever makes the guest anew waits for it. What comes to the hypervisor unsaid is waited for by nobody."""
    lone, server = _swapping()
    lone.volumes.fails.clear()
    lone.driver.plan.add(FaultRule("swap_volume", FaultKind.RAISE))
    lone.conductor.refuses = {"kept"}
    _swap(lone, server)
    assert lone.conductor.verbs()[-1] == "put_down"
    assert [each[3] for each in lone.conductor.told if each[0] == "progress"] == ["copying"]
    assert {*lone.volumes.attachments} == {"a-old", "a-new"}
    lone.conductor.refuses = {"copying"}
    lone.driver.plan.calls.clear()
    with pytest.raises(exception.StaleWrite):
        _swap(lone, server)
    assert not lone.driver.plan.calls
    lone.conductor.refuses.clear()
    _swap(lone, server)
    assert [each[3] for each in lone.conductor.told if each[0] == "progress"][1:] == ["copying", "kept", "undone"]
    assert [*lone.volumes.attachments] == ["a-old"] and lone.conductor.verbs()[-1] == "fail_operation"


@pytest.mark.parametrize("has_both", [False, True])
def test_a_guest_that_has_the_new_volume_keeps_it(has_both: bool) -> None:
    """A former try got so far before its worker was killed."""
    lone, server = _swapping()
    lone.driver.swap_volume(server, OLD, NEW)
    if has_both:
        lone.driver.attach_volume(server, OLD)
    _swap(lone, server)
    assert lone.conductor.verbs()[-1] == "put_down"
    assert [*lone.volumes.attachments] == ["a-old", "a-new"]
    lone.volumes.fails.clear()
    _swap(lone, server)
    assert lone.conductor.verbs()[-1] == "finish_operation"
    assert lone.volumes.attachments == {"a-new": "attached"}


def _ends_late(lone: LoneHost, server: Instance) -> str:
    """The turn after the deadline; the last that its host says."""
    lone.volumes.fails.clear()
    _swap(lone, server, stage="undo", failure="too late")
    return lone.conductor.verbs()[-1]


def test_a_swap_past_its_deadline_asks_the_guest() -> None:
    lone, server = _swapping()
    assert _ends_late(lone, server) == "fail_operation"
    assert lone.volumes.attachments == {"a-old": "attached"}
    lone, server = _swapping()
    lone.driver.swap_volume(server, OLD, NEW)
    assert _ends_late(lone, server) == "finish_operation"
    assert lone.volumes.attachments == {"a-new": "attached"}


def test_a_swap_past_its_deadline_waits_for_a_hypervisor_that_does_not_answer() -> None:
    lone, server = _swapping()
    lone.driver.swap_volume(server, OLD, NEW)
    lone.driver.find_guest = mock.Mock(side_effect=RuntimeError("no answer"))  # type: ignore[method-assign]
    assert _ends_late(lone, server) == "put_down"
    assert [*lone.volumes.attachments] == ["a-old", "a-new"]


def test_what_was_swapped_is_written_before_anybody_else_is_told() -> None:
    """Whoever makes the guest anew meanwhile makes it of what its server's row has."""
    lone, server = _swapping()
    lone.volumes.fails = {"attachment_complete"}
    _swap(lone, server)
    copying, said = (each for each in lone.conductor.told if each[0] == "progress")
    assert copying[3] == "copying"
    (device,) = said[4]["block_devices"]
    assert said[3] == "swapped a-old" and (device.volume_id, device.attachment_id) == ("new", "a-new")
    assert lone.conductor.verbs()[-1] == "put_down" and {*lone.volumes.attachments} == {"a-old", "a-new"}


@pytest.mark.parametrize("stage", ["", "undo"])
def test_a_swap_that_is_written_is_only_told(stage: str) -> None:
    """The guest was made anew elsewhere, or lost the new volume, too: no volume is copied, or taken, a second time."""
    lone, server = _swapping()
    lone.volumes.fails.clear()
    _swap(lone, server.replace(block_devices=()), "swapped a-old", stage=stage, failure="too late")
    assert lone.conductor.verbs() == ["finish_operation"] and "a-old" not in lone.volumes.attachments
    assert not [call for call, _ in lone.driver.plan.calls if call.endswith("_volume")]


def test_a_swap_that_may_be_written_is_not_undone() -> None:
    """Also where the guest is gone when it is looked for."""
    lone, server = _swapping()
    lone.volumes.fails.clear()
    told = mock.Mock(side_effect=[None, RuntimeError("no answer"), None])
    lone.conductor.progress = told  # type: ignore[method-assign]
    lone.driver.find_guest = mock.Mock(return_value=None)  # type: ignore[method-assign]
    _swap(lone, server)
    assert lone.conductor.verbs()[-1] == "put_down" and [*lone.volumes.attachments] == ["a-old", "a-new"]


@pytest.mark.parametrize("verb", ["finish_operation", "look_again"])
def test_an_attach_that_was_overtaken_takes_nothing_away(verb: str) -> None:
    """An evacuation has given the volume to another host meanwhile, or a delete gives back all that there is."""
    lone, server = LoneHost(Volumes(mine="reserved")), make_instance(host=NAME)
    lone.driver.create_disks(CTXT, server)
    lone.driver.spawn(server, ())
    lone.conductor.refuses = {verb}
    if verb == "look_again":
        lone.volumes.fails = {"attachment_update"}
    attached = server.replace(block_devices=(OLD.replace(attachment_id="mine", host=None, connection={}),))
    with pytest.raises(exception.StaleWrite):
        attach(lone.host, CTXT, operation("attach_volume", server, bdm_uuid="bdm"), attached)
    assert [*lone.volumes.attachments] == ["mine"] and "fail_operation" not in lone.conductor.verbs()


@pytest.mark.parametrize(("verb", "action"), [(attach, "attach_volume"), (detach, "detach_volume")])
def test_a_server_that_loses_a_volume_keeps_no_attachment_of_it(verb: Any, action: str) -> None:
    """A rebuild beside it had replaced the server's own, and its worker died before it gave up the former one."""
    lone, server = LoneHost(_Failing()), make_instance(host=NAME)
    lone.volumes.attachments = {"former": "reserved", "own": "reserved"}
    lone.driver.create_disks(CTXT, server)
    lone.driver.spawn(server, ())
    attached = server.replace(block_devices=(OLD.replace(uuid="v", volume_id="v", attachment_id="own"),))
    verb(lone.host, CTXT, operation(action, server, bdm_uuid="bdm"), attached)
    assert lone.volumes.attachments == {}
