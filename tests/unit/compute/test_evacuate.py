"""An evacuation that fails on its new host: it is not over before the interfaces are where the server is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from nova_lite import exception
from nova_lite.compute.evacuate import evacuate
from nova_lite.objects import BlockDevice, Instance
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


def _writing(volumes: Volumes) -> tuple[LoneHost, Callable[[], Instance]]:
    """A host, and what the server's row is by then."""
    lone, server = LoneHost(volumes), make_instance(host="dead", node="dead", generation=3, block_devices=(VOLUME,))

    def row(*_: Any) -> Instance:
        written = [each[4] for each in lone.conductor.told if each[0] == "progress"]
        return server.replace(**{name: value for values in written for name, value in values.items()})

    lone.host.conductor.look_again = row  # type: ignore[method-assign]
    return lone, row


def test_what_the_dead_host_held_is_given_up_before_a_failed_evacuation_is_over() -> None:
    """The row has the attachment that this host made by now: nobody else would know the former one.

    The volume stays reserved for the server, on no host: nobody else takes it.
    """
    volumes = _Refusing(4)
    lone, row = _writing(volumes)
    lone.driver.plan.add(FaultRule("spawn", FaultKind.RAISE))
    evacuate(lone.host, CTXT, operation("evacuate", row(), (), **ARGS), row())
    assert lone.conductor.verbs()[-1] == "put_down" and "old" in volumes.attachments
    evacuate(lone.host, CTXT, operation("evacuate", row(), (), **ARGS), row())
    (device,) = row().block_devices
    assert lone.conductor.verbs()[-1] == "fail_operation"
    assert device.host is None and volumes.attachments == {device.attachment_id: "reserved"}


def test_an_evacuation_whose_volumes_stay_connected_is_not_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """The volume service broke off while they were connected, and while that was taken back."""
    volumes = Volumes(old="attached")
    lone, row = _writing(volumes)

    def away(*_: Any) -> None:
        monkeypatch.setattr(volumes, "attachment_create", away)
        raise exception.Unavailable("the volume service is away")

    with monkeypatch.context() as patch:
        patch.setattr(volumes, "attachment_complete", away)
        evacuate(lone.host, CTXT, operation("evacuate", row(), (), **ARGS), row())
    assert lone.conductor.verbs()[-1] == "put_down" and row().block_devices[0].host == NAME
    monkeypatch.undo()
    volumes.fails = {"attachment_update"}
    evacuate(lone.host, CTXT, operation("evacuate", row(), (), **ARGS), row())
    (device,) = row().block_devices
    assert lone.conductor.verbs()[-1] == "fail_operation"
    assert device.host is None and volumes.attachments == {device.attachment_id: "reserved"}


# -- what is here already -------------------------------------------------------------------------


def _with_a_guest(generation: int) -> tuple[LoneHost, Instance]:
    lone, server = LoneHost(), make_instance(host="dead", node="dead", generation=3)
    former = server.replace(generation=generation)
    lone.driver.create_disks(CTXT, former)
    lone.driver.roots[server.uuid] = "what was here"
    lone.driver.spawn(former, ())
    return lone, server


def test_a_disk_that_is_stale_is_not_built_on() -> None:
    lone, server = _with_a_guest(2)
    evacuate(lone.host, CTXT, operation("evacuate", server, (), **ARGS), server)
    assert lone.conductor.verbs()[-1] == "finish_operation"
    assert lone.driver.roots[server.uuid] != "what was here"
    assert lone.driver.guests[server.uuid].generation == ARGS["generation"]


@pytest.mark.parametrize("generation", [4, 9])
def test_a_guest_that_is_not_known_to_be_stale_is_left_alone(generation: int) -> None:
    """A live migration may have brought it: it is refused, and nothing of it is undone."""
    lone, server = _with_a_guest(generation)
    evacuate(lone.host, CTXT, operation("evacuate", server, (), **ARGS), server)
    assert lone.conductor.verbs()[-1] == "fail_operation"
    assert lone.driver.roots[server.uuid] == "what was here"
    assert lone.driver.guests[server.uuid].generation == generation


@pytest.mark.parametrize("step", [f"cleared on {NAME}", "disks"])
def test_what_this_evacuation_has_built_is_kept_when_it_goes_on(step: str) -> None:
    """The second one is how a daemon of before the first wrote it down."""
    lone, server = _with_a_guest(ARGS["generation"])
    evacuate(lone.host, CTXT, operation("evacuate", server, (step,), **ARGS), server)
    assert lone.conductor.verbs()[-1] == "finish_operation"
    assert lone.driver.roots[server.uuid] == "what was here"


def test_what_another_host_cleared_is_not_cleared_here() -> None:
    lone, server = _with_a_guest(2)
    steps = ("cleared on another", "disks")
    evacuate(lone.host, CTXT, operation("evacuate", server, steps, **ARGS), server)
    assert lone.driver.roots[server.uuid] != "what was here"
