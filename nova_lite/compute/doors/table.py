"""The parts of the compute API, one noun's requests each."""

from __future__ import annotations

from nova_lite.compute.doors.door import Neighbours
from nova_lite.compute.doors.guest_password import GuestPasswordDoor
from nova_lite.compute.doors.metadata import MetadataDoor
from nova_lite.compute.doors.tags import TagsDoor


class Doors:
    """What :class:`nova_lite.compute.api.API` has besides its own methods."""

    def __init__(self, neighbours: Neighbours) -> None:
        self.guest_password = GuestPasswordDoor(neighbours)
        self.metadata = MetadataDoor(neighbours)
        self.tags = TagsDoor(neighbours)
