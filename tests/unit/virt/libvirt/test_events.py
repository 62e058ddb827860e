from __future__ import annotations

import pytest

from nova_lite.compute.power_states import PowerState
from nova_lite.virt.event import Transition
from nova_lite.virt.libvirt import events

libvirt = pytest.importorskip("libvirt", reason="no libvirt binding: its numbers cannot be compared with ours")


def test_our_numbers_are_libvirts() -> None:
    for state in events.DomainState:
        assert state == getattr(libvirt, f"VIR_DOMAIN_{state.name}")
    for event in events.DomainEvent:
        assert event == getattr(libvirt, f"VIR_DOMAIN_EVENT_{event.name}")
    assert libvirt.VIR_DOMAIN_EVENT_STOPPED_SAVED == events.STOPPED_SAVED


def test_every_state_of_libvirt_is_known() -> None:
    assert set(events.POWER_STATES) == set(events.DomainState)
    assert len(events.DomainState) == libvirt.VIR_DOMAIN_PMSUSPENDED + 1


@pytest.mark.parametrize(
    ("state", "expected"), [(1, 1), (2, 1), (3, 3), (4, 1), (5, 4), (6, 6), (7, 7), (0, 0), (99, 0)]
)
def test_power_state(state: int, expected: int) -> None:
    assert events.power_state(state) == expected


@pytest.mark.parametrize(
    ("event", "detail", "expected"),
    [
        (libvirt.VIR_DOMAIN_EVENT_DEFINED, 0, None),
        (libvirt.VIR_DOMAIN_EVENT_UNDEFINED, 0, None),
        (libvirt.VIR_DOMAIN_EVENT_STARTED, libvirt.VIR_DOMAIN_EVENT_STARTED_BOOTED, Transition.STARTED),
        (libvirt.VIR_DOMAIN_EVENT_SUSPENDED, libvirt.VIR_DOMAIN_EVENT_SUSPENDED_PAUSED, Transition.PAUSED),
        (libvirt.VIR_DOMAIN_EVENT_RESUMED, 0, Transition.RESUMED),
        (libvirt.VIR_DOMAIN_EVENT_STOPPED, libvirt.VIR_DOMAIN_EVENT_STOPPED_DESTROYED, Transition.STOPPED),
        (libvirt.VIR_DOMAIN_EVENT_STOPPED, libvirt.VIR_DOMAIN_EVENT_STOPPED_FAILED, Transition.STOPPED),
        (libvirt.VIR_DOMAIN_EVENT_STOPPED, libvirt.VIR_DOMAIN_EVENT_STOPPED_SAVED, Transition.SUSPENDED),
        (libvirt.VIR_DOMAIN_EVENT_SHUTDOWN, 0, None),
        (libvirt.VIR_DOMAIN_EVENT_PMSUSPENDED, 0, Transition.SUSPENDED),
        (libvirt.VIR_DOMAIN_EVENT_CRASHED, 0, Transition.STOPPED),
        (99, 0, None),
    ],
)
def test_transition(event: int, detail: int, expected: Transition | None) -> None:
    assert events.transition(event, detail) == expected


def test_every_standing_state_has_a_transition_but_none() -> None:
    assert [state for state in PowerState if events.standing(state) is None] == [PowerState.NOSTATE]
