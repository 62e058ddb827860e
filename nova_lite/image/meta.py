"""From Glance's JSON to ImageMeta."""

from __future__ import annotations

import datetime
from typing import Any

from nova_lite import exception
from nova_lite.objects.image import ImageMeta

_PLAIN = (
    "name", "disk_format", "container_format", "size", "virtual_size", "checksum", "os_hash_algo", "os_hash_value",
    "owner",
)  # fmt: skip
# Glance's own keys that a compute cloud has no use for; whatever else is there is a custom property.
_IGNORED = {
    "id", "status", "min_disk", "min_ram", "visibility", "protected", "created_at", "updated_at", "tags", "self",
    "file", "schema", "locations", "direct_url", "stores", "os_hidden",
}  # fmt: skip
_KINDS: dict[str, type] = {"size": int, "virtual_size": int, "min_disk": int, "min_ram": int, "protected": bool}


def from_json(body: Any) -> ImageMeta:
    """The image that the JSON describes.

    :raises Unavailable: that is no image: something else answers at the image service's address.
    """
    if not isinstance(body, dict) or not isinstance(body.get("id"), str) or not isinstance(body.get("status"), str):
        raise exception.Unavailable("The image service's answer is no image.")
    values = {key: _checked(key, body.get(key)) for key in _PLAIN}
    known = {*_PLAIN, *_IGNORED}
    return ImageMeta(
        id=body["id"],
        status=body["status"],
        min_disk=_checked("min_disk", body.get("min_disk")) or 0,
        min_ram=_checked("min_ram", body.get("min_ram")) or 0,
        visibility=_checked("visibility", body.get("visibility")) or "private",
        protected=bool(body.get("protected")),
        properties={key: str(value) for key, value in body.items() if key not in known and value is not None},
        created_at=_moment(body.get("created_at")),
        updated_at=_moment(body.get("updated_at")),
        **values,
    )


def _checked(key: str, value: Any) -> Any:
    kind = _KINDS.get(key, str)
    if value is None or (isinstance(value, kind) and not (kind is int and isinstance(value, bool))):
        return value
    raise exception.Unavailable(f"The image service's answer is no image: {key} is not of type {kind.__name__}.")


def _moment(text: Any) -> datetime.datetime | None:
    """Naive UTC, or None where the text is no time."""
    try:
        found = datetime.datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return None
    return found.astimezone(datetime.UTC).replace(tzinfo=None) if found.tzinfo else found
