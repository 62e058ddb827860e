"""What a host has of servers, as it says itself when it is asked."""

from __future__ import annotations

from dataclasses import dataclass

from nova_lite.objects.base import TravellingObject


@dataclass(frozen=True)
class Presence(TravellingObject):
    """What there is of one server on one host.

    ``power_state`` is None where there is no guest, ``generation`` where the guest carries no mark of ours, ``rescued``
    and ``volumes`` (ids) where the driver does not know. ``is_set_aside``: a cold move set some of the disks aside.
    """

    VERSION = "1.2"

    uuid: str
    power_state: int | None = None
    generation: int | None = None
    has_disks: bool = False
    is_expected: bool = False
    rescued: bool | None = None
    volumes: tuple[str, ...] | None = None
    in_quarantine: bool = False
    is_set_aside: bool = False

    @property
    def has_guest(self) -> bool:
        return self.power_state is not None


@dataclass(frozen=True)
class Survey(TravellingObject):
    """One batch, by uuid. ``after`` is where the next one begins; None: there is no more."""

    presences: tuple[Presence, ...] = ()
    after: str | None = None
