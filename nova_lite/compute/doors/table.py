"""The parts of the compute API, one noun's requests each."""

from __future__ import annotations

from nova_lite.compute.doors.cold_moves import ColdMoves
from nova_lite.compute.doors.consoles import ConsoleDoor
from nova_lite.compute.doors.diagnostics import DiagnosticsDoor
from nova_lite.compute.doors.door import Neighbours
from nova_lite.compute.doors.external_events import ExternalEventsDoor
from nova_lite.compute.doors.guest_password import GuestPasswordDoor
from nova_lite.compute.doors.interfaces import InterfacesDoor
from nova_lite.compute.doors.live_moves import LiveMoves
from nova_lite.compute.doors.metadata import MetadataDoor
from nova_lite.compute.doors.rebuilds import RebuildDoor
from nova_lite.compute.doors.rescues import RescueDoor
from nova_lite.compute.doors.shelves import ShelveDoor
from nova_lite.compute.doors.snapshots import SnapshotDoor
from nova_lite.compute.doors.soft_deletes import SoftDeleteDoor
from nova_lite.compute.doors.tags import TagsDoor
from nova_lite.compute.doors.volumes import VolumesDoor


class Doors:
    """What :class:`nova_lite.compute.api.API` has besides its own methods."""

    def __init__(self, neighbours: Neighbours) -> None:
        self.cold_moves = ColdMoves(neighbours)
        self.consoles = ConsoleDoor(neighbours)
        self.diagnostics = DiagnosticsDoor(neighbours)
        self.external_events = ExternalEventsDoor(neighbours)
        self.guest_password = GuestPasswordDoor(neighbours)
        self.interfaces = InterfacesDoor(neighbours)
        self.live_moves = LiveMoves(neighbours)
        self.metadata = MetadataDoor(neighbours)
        self.rebuilds = RebuildDoor(neighbours)
        self.rescues = RescueDoor(neighbours)
        self.shelves = ShelveDoor(neighbours)
        self.snapshots = SnapshotDoor(neighbours)
        self.soft_deletes = SoftDeleteDoor(neighbours)
        self.tags = TagsDoor(neighbours)
        self.volumes = VolumesDoor(neighbours)
