"""What a host has of servers, for whoever compares it with the database: looked at only, in batches."""

from __future__ import annotations

from nova_lite.objects import Presence, Survey
from nova_lite.virt.driver import ComputeDriver

# Presences in one message.
BATCH = 500


def batch(driver: ComputeDriver, after: str | None = None, limit: int = BATCH) -> Survey:
    """The presences whose uuid comes behind ``after``."""
    waiting = [each for each in whole(driver) if after is None or each.uuid > after]
    return Survey(tuple(waiting[:limit]), waiting[limit - 1].uuid if len(waiting) > limit else None)


def whole(driver: ComputeDriver) -> list[Presence]:
    """Everything at one look, by uuid."""
    guests = {guest.uuid: guest for guest in driver.list_guests()}
    disks, incoming, aside = driver.list_disks(), driver.list_incoming(), driver.list_set_aside()
    found = []
    for uuid in sorted({*guests, *disks, *incoming}):
        presence = Presence(uuid, has_disks=uuid in disks, is_expected=uuid in incoming, is_set_aside=uuid in aside)
        guest = guests.get(uuid)
        if guest is not None:
            presence = presence.replace(
                power_state=int(guest.power_state), generation=guest.generation, rescued=guest.rescued,
                volumes=guest.volumes, in_quarantine=guest.quarantine is not None,
            )  # fmt: skip
        found.append(presence)
    return found
