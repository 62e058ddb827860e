"""What the volume service says of volumes, snapshots and attachments, as far as a compute cloud needs it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from nova_lite import exception

# Fields of a connection that say nothing about how to reach the data.
_NOT_DATA = ("driver_volume_type", "attachment_id")


@dataclass(frozen=True)
class Volume:
    """``size`` in GiB; ``attachments`` are the ids of the complete ones by the server that has them."""

    id: str
    status: str
    size: int
    bootable: bool = False
    multiattach: bool = False
    attachments: dict[str, str] = field(default_factory=dict)
    image_metadata: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Snapshot:
    """``size`` in GiB is that of the volume it was taken of."""

    id: str
    status: str
    size: int
    volume_id: str


@dataclass(frozen=True)
class Attachment:
    """``connection`` is {"driver_volume_type": ..., "data": {...}} once a host asked for it, else empty."""

    id: str
    volume_id: str
    instance_uuid: str | None
    status: str
    connection: dict[str, Any] = field(default_factory=dict)

    @property
    def is_complete(self) -> bool:
        """A host has the volume; else it is reserved, or somewhere between."""
        return self.status == "attached"


def volume(body: Any) -> Volume:
    """:raises Unavailable: that is no volume: something else answers at the volume service's address."""
    found = _inner(body, "volume")
    metadata = found.get("volume_image_metadata") or {}
    attachments = found.get("attachments") or []
    return Volume(
        id=_text(found, "id"),
        status=_text(found, "status"),
        size=_number(found, "size"),
        bootable=str(found.get("bootable")).lower() == "true",
        multiattach=found.get("multiattach") is True,
        attachments={str(each.get("server_id")): str(each.get("attachment_id")) for each in attachments},
        image_metadata={str(key): str(value) for key, value in metadata.items()},
    )


def snapshot(body: Any) -> Snapshot:
    """:raises Unavailable: as volume()."""
    found = _inner(body, "snapshot")
    return Snapshot(_text(found, "id"), _text(found, "status"), _number(found, "size"), _text(found, "volume_id"))


def attachment(body: Any) -> Attachment:
    """:raises Unavailable: as volume()."""
    return attachment_item(_inner(body, "attachment"))


def attachment_item(found: Any) -> Attachment:
    """One of a list, which may lack the connection."""
    if not isinstance(found, dict):
        raise _strange("attachment")
    info = found.get("connection_info") or {}
    data = {key: value for key, value in info.items() if key not in _NOT_DATA}
    connection = (
        {"driver_volume_type": info["driver_volume_type"], "data": data} if "driver_volume_type" in info else {}
    )
    return Attachment(
        _text(found, "id"), _text(found, "volume_id"), found.get("instance"), _text(found, "status"), connection
    )


def _inner(body: Any, key: str) -> dict[str, Any]:
    found = body.get(key) if isinstance(body, dict) else None
    if not isinstance(found, dict):
        raise _strange(key)
    return found


def _text(found: dict[str, Any], key: str) -> str:
    value = found.get(key)
    if not isinstance(value, str):
        raise _strange(key)
    return value


def _number(found: dict[str, Any], key: str) -> int:
    value = found.get(key)
    if not isinstance(value, int):
        raise _strange(key)
    return value


def _strange(what: str) -> exception.Unavailable:
    return exception.Unavailable(f"The volume service's answer is not as expected: {what}.")
