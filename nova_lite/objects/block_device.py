"""BlockDevice: one row of block_device_mapping_v2 (API reference, "block device mapping")."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from nova_lite.objects.base import TravellingObject


@dataclass(frozen=True)
class BlockDevice(TravellingObject):
    """``source_type`` image, volume, snapshot or blank; ``destination_type`` local or volume; size in GiB.

    ``uuid`` is the source's id, ``volume_id`` the volume that holds the data now, ``bdm_uuid`` the device's own id.
    ``attachment_id`` is the volume service's hold on the volume for this server; ``connection`` how ``host`` reaches
    the data ({"driver_volume_type": ..., "data": {...}}), empty while no host does.
    """

    VERSION: ClassVar[str] = "1.1"

    source_type: str
    destination_type: str
    boot_index: int | None = None
    uuid: str | None = None
    volume_id: str | None = None
    volume_size: int | None = None
    device_name: str | None = None
    device_type: str | None = None
    disk_bus: str | None = None
    guest_format: str | None = None
    delete_on_termination: bool = False
    tag: str | None = None
    volume_type: str | None = None
    bdm_uuid: str | None = None
    attachment_id: str | None = None
    multiattach: bool = False
    host: str | None = None
    connection: dict[str, object] = field(default_factory=dict)

    @property
    def is_volume(self) -> bool:
        return self.destination_type == "volume"

    @property
    def is_root(self) -> bool:
        return self.boot_index == 0

    @property
    def is_swap(self) -> bool:
        return self.source_type == "blank" and self.destination_type == "local" and self.guest_format == "swap"

    @property
    def is_ephemeral(self) -> bool:
        return self.source_type == "blank" and self.destination_type == "local" and self.guest_format != "swap"

    @property
    def is_made_here(self) -> bool:
        """Whether the volume is made for the server, of an image, a snapshot or nothing."""
        return self.is_volume and self.source_type != "volume"
