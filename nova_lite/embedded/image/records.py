"""The image as the store keeps it."""

from __future__ import annotations

import dataclasses
import datetime
import json
from dataclasses import dataclass, field
from typing import Any

from nova_lite import clock

QUEUED, SAVING, ACTIVE, DEACTIVATED = "queued", "saving", "active", "deactivated"
PRIVATE, SHARED, COMMUNITY, PUBLIC = "private", "shared", "community", "public"
VISIBILITIES = (PRIVATE, SHARED, COMMUNITY, PUBLIC)

DISK_FORMATS = ("ami", "ari", "aki", "vhd", "vhdx", "vmdk", "raw", "qcow2", "vdi", "iso", "ploop", "gpt")
CONTAINER_FORMATS = ("ami", "ari", "aki", "bare", "ovf", "ova", "docker", "compressed")


@dataclass(frozen=True)
class Image:
    """Sizes in bytes, ``min_disk`` in GiB, ``min_ram`` in MiB, times as ISO text in UTC; ``members`` by project id."""

    id: str
    name: str | None = None
    status: str = QUEUED
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
    visibility: str = SHARED
    protected: bool = False
    os_hidden: bool = False
    tags: tuple[str, ...] = ()
    properties: dict[str, str] = field(default_factory=dict)
    members: dict[str, dict[str, str]] = field(default_factory=dict)
    created_at: str = ""
    updated_at: str = ""

    def changed(self, **values: Any) -> Image:
        """A copy with these values, touched now."""
        return dataclasses.replace(self, **values, updated_at=now())

    @property
    def has_data(self) -> bool:
        return self.status in (ACTIVE, DEACTIVATED)


def now() -> str:
    """This moment with microseconds, so that images sort in the order they were made."""
    return clock.utcnow().isoformat(timespec="microseconds")


def seconds(moment: str) -> str:
    """The time as Glance shows it."""
    return datetime.datetime.fromisoformat(moment).strftime("%Y-%m-%dT%H:%M:%SZ")


def to_bytes(image: Image) -> bytes:
    return json.dumps(dataclasses.asdict(image)).encode()


def from_bytes(data: bytes) -> Image:
    """:raises ValueError: that is no image."""
    values = json.loads(data)
    if not isinstance(values, dict):
        raise ValueError("not an image")
    known = {each.name for each in dataclasses.fields(Image)}
    try:
        values["tags"] = tuple(values.get("tags", ()))
        return Image(**{key: value for key, value in values.items() if key in known})
    except TypeError as error:
        raise ValueError(str(error)) from None
