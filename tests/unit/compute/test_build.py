"""A build on its host: whatever step fails, or is refused, nothing of the server is left."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from nova_lite import exception
from nova_lite.compute.build import build
from nova_lite.objects import BlockDevice, Instance
from nova_lite.virt.fault_plan import FaultKind, FaultRule
from tests.harness.database import make_instance
from tests.harness.lone_host import CTXT, NAME, LoneHost, operation

VOLUME = BlockDevice("volume", "volume", volume_id="v", bdm_uuid="b", attachment_id=None, device_name="/dev/vdb")


def _server(*devices: BlockDevice) -> Instance:
    return make_instance(host=NAME, node=NAME, vm_state="building", block_devices=devices)


def _build(lone: LoneHost, server: Instance) -> None:
    build(lone.host, CTXT, operation("create", server, networks=[{}]), server)


def test_a_build_that_goes_well() -> None:
    lone, server = LoneHost(), _server(VOLUME)
    _build(lone, server)
    assert lone.conductor.verbs()[-1] == "finish_operation"
    assert [*lone.driver.guests] == [*lone.driver.disks] == [server.uuid]
    assert lone.volumes.attachments == {"new-0": "attached"} and lone.network.ports


@pytest.mark.parametrize("call", ["create_disks", "spawn"])
def test_a_driver_that_fails_leaves_nothing(call: str) -> None:
    lone = LoneHost()
    lone.driver.plan.add(FaultRule(call, FaultKind.RAISE))
    _build(lone, _server(VOLUME))
    assert lone.conductor.verbs()[-1] == "refuse_build" and lone.is_empty()


@pytest.mark.parametrize("step", ["network", "volumes claimed", "volumes", "disks", "finish_operation"])
def test_who_was_overtaken_leaves_nothing(step: str) -> None:
    lone = LoneHost()
    lone.conductor.refuses = {step}
    with pytest.raises(exception.StaleWrite):
        _build(lone, _server(VOLUME))
    assert lone.is_empty() and "refuse_build" not in lone.conductor.verbs()


def test_a_build_whose_ports_do_not_go_is_not_over() -> None:
    lone, server = LoneHost(), _server(VOLUME)
    lone.driver.plan.add(FaultRule("spawn", FaultKind.RAISE, times=2))
    lone.network.fails.append("deallocate")
    _build(lone, server)
    assert lone.conductor.verbs()[-1] == "put_down" and lone.network.ports
    _build(lone, server)
    assert lone.conductor.verbs()[-1] == "refuse_build" and lone.is_empty()


def _writing() -> tuple[LoneHost, Callable[[], Instance]]:
    """A host, and what the server's row is by then."""
    lone, server = LoneHost(), _server(VOLUME)

    def row(*_: Any) -> Instance:
        written = [each[-1] for each in lone.conductor.told if each[0] == "progress"]
        return server.replace(**{name: value for values in written for name, value in values.items()})

    lone.host.conductor.look_again = row  # type: ignore[method-assign]
    return lone, row


def test_a_volume_that_cannot_be_connected_leaves_nothing() -> None:
    lone, row = _writing()
    lone.volumes.fails = {"attachment_update"}
    _build(lone, row())
    assert lone.conductor.verbs()[-1] == "refuse_build" and lone.is_empty()


def test_a_build_whose_volumes_stay_connected_is_not_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """The volume service broke off while they were connected, and while that was taken back."""
    lone, row = _writing()

    def away(*_: Any) -> None:
        raise exception.Unavailable("the volume service is away")

    with monkeypatch.context() as patch:
        patch.setattr(lone.volumes, "attachment_complete", away)
        patch.setattr(lone.volumes, "attachment_delete", away)
        _build(lone, row())
    assert lone.conductor.verbs()[-1] == "put_down" and row().block_devices[0].host == NAME
    lone.volumes.fails = {"attachment_update"}
    _build(lone, row())
    assert lone.conductor.verbs()[-1] == "refuse_build" and lone.is_empty()
