"""A hypervisor that says that it failed: what the guest has is what happened."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest

from nova_lite import exception
from nova_lite.compute import plugs, steps
from nova_lite.objects import BlockDevice, Instance
from tests.harness.database import make_instance
from tests.harness.lone_host import CTXT, NAME, LoneHost, vif

OLD, NEW = (
    BlockDevice(
        source_type="volume", destination_type="volume", uuid=name, volume_id=name, attachment_id=f"a-{name}",
        connection={"driver_volume_type": "fake", "data": {}},
    )
    for name in ("old", "new")
)  # fmt: skip
SERVER = make_instance(host=NAME, block_devices=(OLD,))
# The driver's call, how it is asked for, and what the guest has then: volumes and interfaces. Before: old, port.
CALLS: dict[str, tuple[Callable[[Any], None], tuple[str, ...], tuple[str, ...]]] = {
    "attach_volume": (lambda host: plugs.attach_volume(host, SERVER, NEW), ("new", "old"), ("port",)),
    "detach_volume": (lambda host: plugs.detach_volume(host, SERVER, OLD), (), ("port",)),
    "swap_volume": (lambda host: plugs.swap_volume(host, SERVER, OLD, NEW), ("new",), ("port",)),
    "attach_interface": (lambda host: plugs.attach_interface(host, SERVER, vif("more")), ("old",), ("port", "more")),
    "detach_interface": (lambda host: plugs.detach_interface(host, SERVER, vif("port")), ("old",), ()),
}


def _booted() -> LoneHost:
    lone = LoneHost()
    lone.driver.create_disks(CTXT, SERVER)
    lone.driver.spawn(SERVER, (vif("port"),))
    return lone


def _break(lone: LoneHost, call: str, works: bool) -> None:
    """The call fails, and has done its work or has not."""
    done = getattr(lone.driver, call)

    def fails(*args: Any) -> None:
        if works:
            done(*args)
        raise exception.HypervisorUnavailable(host=NAME)

    setattr(lone.driver, call, fails)


def _has(lone: LoneHost) -> tuple[Any, Any]:
    guest = lone.driver.find_guest(SERVER.uuid)
    assert guest is not None
    return guest.volumes, guest.interfaces


@pytest.mark.parametrize("call", CALLS)
def test_what_was_done_is_done_whatever_the_hypervisor_says(call: str) -> None:
    lone, (ask, volumes, interfaces) = _booted(), CALLS[call]
    _break(lone, call, works=True)
    ask(lone.host)
    assert _has(lone) == (volumes, interfaces)
    ask(lone.host)  # and said again, by who goes on after a crash
    assert _has(lone) == (volumes, interfaces)


@pytest.mark.parametrize("call", CALLS)
def test_what_was_not_done_has_failed(call: str) -> None:
    lone = _booted()
    _break(lone, call, works=False)
    with pytest.raises(exception.HypervisorUnavailable):
        CALLS[call][0](lone.host)
    assert _has(lone) == (("old",), ("port",))


@pytest.mark.parametrize("call", CALLS)
def test_of_a_guest_that_cannot_be_looked_at_nobody_knows(call: str) -> None:
    lone = _booted()
    _break(lone, call, works=True)
    _break(lone, "find_guest", works=False)
    with pytest.raises(steps.NotNow) as caught:
        CALLS[call][0](lone.host)
    assert isinstance(caught.value.__cause__, exception.HypervisorUnavailable)


@pytest.mark.parametrize("call", CALLS)
def test_a_driver_that_does_not_look_is_believed(call: str) -> None:
    lone = _booted()
    blind = dataclasses.replace(lone.driver.list_guests()[0], volumes=None, interfaces=None)
    lone.driver.find_guest = lambda uuid: blind  # type: ignore[method-assign]
    _break(lone, call, works=True)
    with pytest.raises(exception.HypervisorUnavailable):
        CALLS[call][0](lone.host)


@pytest.mark.parametrize("call", ["detach_volume", "detach_interface"])
def test_a_guest_that_is_not_there_has_nothing(call: str) -> None:
    lone = _booted()
    lone.driver.destroy(SERVER)
    _break(lone, call, works=False)
    CALLS[call][0](lone.host)


def test_a_swap_that_is_half_done_goes_on() -> None:
    lone = _booted()
    lone.driver.attach_volume(SERVER, NEW)
    _break(lone, "swap_volume", works=False)
    with pytest.raises(steps.NotNow):
        CALLS["swap_volume"][0](lone.host)


def test_who_was_overtaken_hears_it() -> None:
    """The fence stands before the hypervisor, which was not asked."""
    lone = _booted()

    def overtaken(instance: Instance, device: BlockDevice) -> None:
        raise exception.StaleWrite(what="Operation 7")

    lone.driver.detach_volume = overtaken  # type: ignore[method-assign]
    lone.driver.guests[SERVER.uuid].volumes.clear()
    with pytest.raises(exception.StaleWrite):
        plugs.detach_volume(lone.host, SERVER, OLD)
