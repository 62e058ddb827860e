"""Images, members and schemas as Glance v2 shows them."""

from __future__ import annotations

from typing import Any

from nova_lite.embedded.image.records import CONTAINER_FORMATS, DISK_FORMATS, VISIBILITIES, Image, seconds

_SHOWN = (
    "id", "name", "status", "visibility", "owner", "protected", "os_hidden", "size", "virtual_size", "checksum",
    "os_hash_algo", "os_hash_value", "disk_format", "container_format", "min_disk", "min_ram",
)  # fmt: skip


def image(value: Image) -> dict[str, Any]:
    """Custom properties stand beside Glance's own keys, which win."""
    path = f"/v2/images/{value.id}"
    return {
        **value.properties,
        **{key: getattr(value, key) for key in _SHOWN},
        "tags": sorted(value.tags),
        "created_at": seconds(value.created_at),
        "updated_at": seconds(value.updated_at),
        "self": path,
        "file": f"{path}/file",
        "schema": "/v2/schemas/image",
    }


def images(values: list[Image], following: str | None) -> dict[str, Any]:
    body = {"images": [image(each) for each in values], "first": "/v2/images", "schema": "/v2/schemas/images"}
    return {**body, "next": following} if following else body


def member(value: Image, project_id: str) -> dict[str, Any]:
    facts = value.members[project_id]
    return {
        "image_id": value.id,
        "member_id": project_id,
        "status": facts["status"],
        "created_at": seconds(facts["created_at"]),
        "updated_at": seconds(facts["updated_at"]),
        "schema": "/v2/schemas/member",
    }


def _typed(kind: Any, description: str, **more: Any) -> dict[str, Any]:
    return {"type": kind, "description": description, **more}


_TEXT = ["null", "string"]
_NUMBER = ["null", "integer"]

IMAGE_SCHEMA: dict[str, Any] = {
    "name": "image",
    "properties": {
        "id": _typed("string", "An identifier for the image"),
        "name": _typed(_TEXT, "Descriptive name for the image", maxLength=255),
        "status": _typed("string", "Status of the image", readOnly=True),
        "visibility": _typed("string", "Scope of image accessibility", enum=list(VISIBILITIES)),
        "owner": _typed(_TEXT, "Owner of the image", maxLength=255),
        "protected": _typed("boolean", "If true, image will not be deletable."),
        "os_hidden": _typed("boolean", "If true, image will not appear in default image list response."),
        "size": _typed(_NUMBER, "Size of image file in bytes", readOnly=True),
        "virtual_size": _typed(_NUMBER, "Virtual size of image in bytes", readOnly=True),
        "checksum": _typed(_TEXT, "md5 hash of image contents.", readOnly=True, maxLength=32),
        "os_hash_algo": _typed(_TEXT, "Algorithm to calculate the os_hash_value", readOnly=True, maxLength=64),
        "os_hash_value": _typed(_TEXT, "Hexdigest of the image contents", readOnly=True, maxLength=128),
        "disk_format": _typed(_TEXT, "Format of the disk", enum=[None, *DISK_FORMATS]),
        "container_format": _typed(_TEXT, "Format of the container", enum=[None, *CONTAINER_FORMATS]),
        "min_disk": _typed("integer", "Amount of disk space (in GB) required to boot image."),
        "min_ram": _typed("integer", "Amount of ram (in MB) required to boot image."),
        "tags": _typed("array", "List of strings related to the image", items={"type": "string", "maxLength": 255}),
        "created_at": _typed("string", "Date and time of image registration", readOnly=True),
        "updated_at": _typed("string", "Date and time of the last image modification", readOnly=True),
        "self": _typed("string", "An image self url", readOnly=True),
        "file": _typed("string", "An image file url", readOnly=True),
        "schema": _typed("string", "An image schema url", readOnly=True),
    },
    "additionalProperties": {"type": "string"},
    "links": [{"rel": "self", "href": "{self}"}, {"rel": "enclosure", "href": "{file}"}],
}

MEMBER_SCHEMA: dict[str, Any] = {
    "name": "member",
    "properties": {
        "image_id": _typed("string", "An identifier for the image"),
        "member_id": _typed("string", "An identifier for the image member (tenantId)"),
        "status": _typed("string", "The status of this image member", enum=["pending", "accepted", "rejected"]),
        "created_at": _typed("string", "Date and time of image member creation"),
        "updated_at": _typed("string", "Date and time of last modification of image member"),
        "schema": _typed("string", "A schema url", readOnly=True),
    },
}


def collection_schema(name: str, item: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": name,
        "properties": {
            name: {"type": "array", "items": item},
            "first": {"type": "string"},
            "next": {"type": "string"},
            "schema": {"type": "string"},
        },
        "links": [{"rel": "first", "href": "{first}"}, {"rel": "next", "href": "{next}"}],
    }
