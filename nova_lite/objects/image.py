"""ImageMeta: what the image service says of an image, as far as a compute cloud needs it."""

from __future__ import annotations

import datetime
from dataclasses import dataclass, field

from nova_lite.objects.base import TravellingObject


@dataclass(frozen=True)
class ImageMeta(TravellingObject):
    """Sizes in bytes, ``min_disk`` in GiB, ``min_ram`` in MiB; ``properties`` are the custom ones."""

    id: str
    name: str | None = None
    status: str = "active"
    disk_format: str | None = None
    container_format: str | None = None
    size: int | None = None
    virtual_size: int | None = None
    checksum: str | None = None
    os_hash_algo: str | None = None
    os_hash_value: str | None = None
    min_disk: int = 0
    min_ram: int = 0
    owner: str | None = None
    visibility: str = "private"
    protected: bool = False
    properties: dict[str, str] = field(default_factory=dict)
    created_at: datetime.datetime | None = None
    updated_at: datetime.datetime | None = None
