"""Instance: one server, as the database holds it."""

from __future__ import annotations

import datetime
from dataclasses import dataclass, field
from typing import ClassVar, NamedTuple

from nova_lite.objects.base import TravellingObject
from nova_lite.objects.block_device import BlockDevice
from nova_lite.objects.flavor import Flavor
from nova_lite.objects.image import ImageMeta
from nova_lite.objects.network import Vif


class ServerName(NamedTuple):
    """What a short list says of a server."""

    uuid: str
    display_name: str


class CreatedServer(NamedTuple):
    """What the answer of a creation says of a server."""

    uuid: str
    auto_disk_config: bool
    security_groups: tuple[str, ...]


@dataclass(frozen=True)
class Fault(TravellingObject):
    """Why a server is in error; ``details`` is for administrators."""

    code: int
    message: str
    details: str = ""
    host: str | None = None
    created_at: datetime.datetime | None = None


@dataclass(frozen=True)
class Instance(TravellingObject):
    """A server. Times are naive UTC; ``generation`` rises whenever the server's host changes.

    ``flavor`` and ``image`` are as they were at creation: later changes of the originals do not move a server.
    ``server_group`` is the uuid of the group it was made in. ``system_metadata`` is the cloud's own memory of it, which
    no user sees (what a rescue or a shelve must find again).
    """

    VERSION: ClassVar[str] = "1.1"

    uuid: str
    project_id: str
    user_id: str
    display_name: str
    vm_state: str
    flavor: Flavor
    task_state: str | None = None
    power_state: int = 0
    generation: int = 0
    display_description: str | None = None
    hostname: str | None = None
    host: str | None = None
    node: str | None = None
    availability_zone: str | None = None
    pinned_availability_zone: str | None = None
    image_ref: str = ""
    image: ImageMeta | None = None
    kernel_id: str = ""
    ramdisk_id: str = ""
    key_name: str | None = None
    key_data: str | None = None
    user_data: str | None = None
    config_drive: bool = False
    auto_disk_config: bool = False
    access_ip_v4: str | None = None
    access_ip_v6: str | None = None
    root_device_name: str | None = None
    launch_index: int = 0
    reservation_id: str | None = None
    progress: int = 0
    locked: bool = False
    locked_by: str | None = None
    locked_reason: str | None = None
    metadata: dict[str, str] = field(default_factory=dict)
    tags: tuple[str, ...] = ()
    scheduler_hints: dict[str, object] = field(default_factory=dict)
    security_groups: tuple[str, ...] = ()
    network_info: tuple[Vif, ...] = ()
    block_devices: tuple[BlockDevice, ...] = ()
    trusted_certs: tuple[str, ...] | None = None
    server_group: str | None = None
    system_metadata: dict[str, object] = field(default_factory=dict)
    fault: Fault | None = None
    launched_at: datetime.datetime | None = None
    terminated_at: datetime.datetime | None = None
    created_at: datetime.datetime | None = None
    updated_at: datetime.datetime | None = None
    deleted_at: datetime.datetime | None = None

    @property
    def is_deleted(self) -> bool:
        return self.deleted_at is not None

    @property
    def disk_gb(self) -> int:
        """Local disk that it claims of its host (GiB); a root disk that is a volume counts nothing there."""
        return self.flavor.disk_gb - (self.flavor.root_gb if self.is_volume_backed else 0)

    @property
    def is_volume_backed(self) -> bool:
        """Its root disk is a volume: then it has no image of its own (contract states.md, section 5)."""
        return not self.image_ref
