"""libvirt's numbers for states and lifecycle events, in our words. Pure: libvirt itself is not imported here."""

from __future__ import annotations

import enum

from nova_lite.compute.power_states import PowerState
from nova_lite.virt.event import Transition


class DomainState(enum.IntEnum):
    """virDomainState."""

    NOSTATE = 0
    RUNNING = 1
    BLOCKED = 2
    PAUSED = 3
    SHUTDOWN = 4
    SHUTOFF = 5
    CRASHED = 6
    PMSUSPENDED = 7


# SHUTDOWN is a guest that is on its way down and still runs; a managed save leaves it SHUTOFF.
POWER_STATES: dict[DomainState, PowerState] = {
    DomainState.NOSTATE: PowerState.NOSTATE,
    DomainState.RUNNING: PowerState.RUNNING,
    DomainState.BLOCKED: PowerState.RUNNING,
    DomainState.PAUSED: PowerState.PAUSED,
    DomainState.SHUTDOWN: PowerState.RUNNING,
    DomainState.SHUTOFF: PowerState.SHUTDOWN,
    DomainState.CRASHED: PowerState.CRASHED,
    DomainState.PMSUSPENDED: PowerState.SUSPENDED,
}


class DomainEvent(enum.IntEnum):
    """virDomainEventType, as far as it changes what runs."""

    STARTED = 2
    SUSPENDED = 3
    RESUMED = 4
    STOPPED = 5
    PMSUSPENDED = 7
    CRASHED = 8


STOPPED_SAVED = 4  # virDomainEventStoppedDetailType: the managed save that ends a suspend

_TRANSITIONS: dict[DomainEvent, Transition] = {
    DomainEvent.STARTED: Transition.STARTED,
    DomainEvent.SUSPENDED: Transition.PAUSED,
    DomainEvent.RESUMED: Transition.RESUMED,
    DomainEvent.STOPPED: Transition.STOPPED,
    DomainEvent.PMSUSPENDED: Transition.SUSPENDED,
    DomainEvent.CRASHED: Transition.STOPPED,
}

_STANDING: dict[PowerState, Transition] = {
    PowerState.RUNNING: Transition.STARTED,
    PowerState.PAUSED: Transition.PAUSED,
    PowerState.SHUTDOWN: Transition.STOPPED,
    PowerState.CRASHED: Transition.STOPPED,
    PowerState.SUSPENDED: Transition.SUSPENDED,
}


def power_state(state: int) -> PowerState:
    """NOSTATE for a number libvirt did not have when this was written."""
    try:
        return POWER_STATES[DomainState(state)]
    except ValueError:
        return PowerState.NOSTATE


def transition(event: int, detail: int) -> Transition | None:
    """What happened to the guest; None for events that change nothing a server shows."""
    if event == DomainEvent.STOPPED and detail == STOPPED_SAVED:
        return Transition.SUSPENDED
    try:
        return _TRANSITIONS[DomainEvent(event)]
    except ValueError:
        return None


def standing(state: PowerState) -> Transition | None:
    """The transition that led to a state, for guests looked at anew after events may have been missed."""
    return _STANDING.get(state)
