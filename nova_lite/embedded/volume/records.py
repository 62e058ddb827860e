"""What the volume service keeps: volumes, snapshots, attachments and types, each as frozen facts."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass, field
from typing import Any, TypeVar

from nova_lite import clock

GIB = 1 << 30
DEFAULT_TYPE = "__DEFAULT__"
MULTIATTACH = "multiattach"

CREATING, AVAILABLE, RESERVED, ATTACHING, IN_USE, DETACHING, DOWNLOADING, DELETING, ERROR = (
    "creating", "available", "reserved", "attaching", "in-use", "detaching", "downloading", "deleting", "error",
)  # fmt: skip
# What a restart finds in one of these was cut short.
PASSING = (CREATING, DOWNLOADING)
STATUSES = (
    CREATING, AVAILABLE, RESERVED, ATTACHING, IN_USE, DETACHING, DOWNLOADING, DELETING, ERROR, "error_deleting",
    "maintenance", "error_extending", "extending", "uploading", "retyping",
)  # fmt: skip

R = TypeVar("R", bound="Record")


@dataclass(frozen=True)
class Record:
    """``created_at`` and ``updated_at`` are naive UTC with microseconds, so that lists keep the order of making."""

    id: str
    project_id: str | None = None
    user_id: str | None = None
    created_at: str = ""
    updated_at: str | None = None

    def changed(self: R, **values: Any) -> R:
        """A copy with these values, touched now."""
        return dataclasses.replace(self, **values, updated_at=now())


@dataclass(frozen=True)
class Volume(Record):
    """``size`` in GiB; ``image_metadata`` is what the image said of itself that its content came from."""

    name: str | None = None
    description: str | None = None
    size: int = 0
    status: str = CREATING
    bootable: bool = False
    multiattach: bool = False
    readonly: bool = False
    volume_type: str = ""
    availability_zone: str = "nova"
    snapshot_id: str | None = None
    source_volid: str | None = None
    migration_status: str | None = None
    metadata: dict[str, str] = field(default_factory=dict)
    image_metadata: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Snapshot(Record):
    """``size`` in GiB is the volume's when it was taken."""

    volume_id: str = ""
    name: str | None = None
    description: str | None = None
    size: int = 0
    status: str = CREATING
    metadata: dict[str, str] = field(default_factory=dict)
    bootable: bool = False
    image_metadata: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Attachment(Record):
    """``status`` reserved, attaching or attached; ``connector`` is who asked for the connection."""

    volume_id: str = ""
    instance: str = ""
    status: str = RESERVED
    mode: str | None = None
    connector: dict[str, Any] | None = None
    attached_at: str | None = None

    @property
    def mountpoint(self) -> str | None:
        return str(self.connector["mountpoint"]) if self.connector and self.connector.get("mountpoint") else None

    @property
    def host(self) -> str | None:
        return str(self.connector["host"]) if self.connector and self.connector.get("host") else None


@dataclass(frozen=True)
class VolumeType(Record):
    name: str = ""
    description: str | None = None
    is_public: bool = True
    extra_specs: dict[str, str] = field(default_factory=dict)

    @property
    def multiattach(self) -> bool:
        return self.extra_specs.get(MULTIATTACH, "").replace(" ", "").lower() == "<is>true"


def now() -> str:
    return clock.utcnow().isoformat(timespec="microseconds")


def to_bytes(record: Record) -> bytes:
    return json.dumps(dataclasses.asdict(record)).encode()


def from_bytes(cls: type[R], data: bytes) -> R:
    """:raises ValueError: that is no record of this class."""
    values = json.loads(data)
    if not isinstance(values, dict):
        raise ValueError(f"not a {cls.__name__}")
    known = {each.name for each in dataclasses.fields(cls)}
    try:
        return cls(**{key: value for key, value in values.items() if key in known})
    except TypeError as error:
        raise ValueError(str(error)) from None
