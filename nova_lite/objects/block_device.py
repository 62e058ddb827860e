"""BlockDevice: one row of block_device_mapping_v2 (API reference, "block device mapping")."""

from __future__ import annotations

from dataclasses import dataclass

from nova_lite.objects.base import TravellingObject


@dataclass(frozen=True)
class BlockDevice(TravellingObject):
    """``source_type`` image, volume, snapshot or blank; ``destination_type`` local or volume; size in GiB."""

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
