"""Volumes, snapshots, attachments and types as Cinder v3 shows them."""

from __future__ import annotations

from typing import Any

from nova_lite.embedded.volume import records
from nova_lite.embedded.volume.records import Attachment, Snapshot, Volume, VolumeType
from nova_lite.embedded.volume.requests import Asked

View = dict[str, Any]


def links(asked: Asked, collection: str, record_id: str) -> list[dict[str, str]]:
    root = asked.http.application_url
    return [
        {"rel": "self", "href": f"{root}{asked.path}/{collection}/{record_id}"},
        {"rel": "bookmark", "href": f"{root}{asked.path.removeprefix('/v3')}/{collection}/{record_id}"},
    ]


def volume(asked: Asked, value: Volume, attachments: list[Attachment], volume_type: VolumeType | None) -> View:
    """What GET shows; the microversions it grew by are cut off below."""
    view: View = {
        "id": value.id,
        "status": value.status,
        "size": value.size,
        "availability_zone": value.availability_zone,
        "created_at": value.created_at,
        "updated_at": value.updated_at,
        "name": value.name,
        "description": value.description,
        "volume_type": volume_type.name if volume_type else None,
        "snapshot_id": value.snapshot_id,
        "source_volid": value.source_volid,
        "metadata": shown_metadata(value),
        "links": links(asked, "volumes", value.id),
        "user_id": value.user_id,
        "bootable": "true" if value.bootable else "false",
        "encrypted": False,
        "replication_status": None,
        "consistencygroup_id": None,
        "multiattach": value.multiattach,
        "attachments": [_attached(each) for each in attachments if each.status == "attached"],
        "migration_status": value.migration_status if asked.caller.is_admin else None,
        "os-vol-tenant-attr:tenant_id": value.project_id,
    }
    if value.image_metadata:
        view["volume_image_metadata"] = dict(value.image_metadata)
    if asked.caller.is_admin:
        view |= {
            "os-vol-host-attr:host": "embedded@local#files",
            "os-vol-mig-status-attr:migstat": value.migration_status,
            "os-vol-mig-status-attr:name_id": None,
        }
    if asked.wants((3, 13)):
        view["group_id"] = None
    if asked.wants((3, 21)) and asked.caller.is_admin:
        view["provider_id"] = None
    if asked.wants((3, 48)):
        view |= {"service_uuid": None, "shared_targets": False}
    if asked.wants((3, 61)):
        view["cluster_name"] = None
    if asked.wants((3, 63)):
        view["volume_type_id"] = volume_type.id if volume_type else None
    if asked.wants((3, 65)):
        view["consumes_quota"] = True
    return view


def shown_metadata(value: Volume) -> dict[str, str]:
    return {**value.metadata, **({"readonly": "True"} if value.readonly else {})}


def _attached(value: Attachment) -> View:
    return {
        "id": value.volume_id,
        "attachment_id": value.id,
        "volume_id": value.volume_id,
        "server_id": value.instance,
        "host_name": value.host,
        "device": value.mountpoint,
        "attached_at": value.attached_at,
    }


def short(asked: Asked, value: Volume | Snapshot, collection: str) -> View:
    """An item of a short list."""
    return {"id": value.id, "name": value.name, "links": links(asked, collection, value.id)}


def snapshot(asked: Asked, value: Snapshot) -> View:
    view: View = {
        "id": value.id,
        "name": value.name,
        "description": value.description,
        "volume_id": value.volume_id,
        "status": value.status,
        "size": value.size,
        "created_at": value.created_at,
        "updated_at": value.updated_at,
        "metadata": dict(value.metadata),
        "os-extended-snapshot-attributes:project_id": value.project_id,
        "os-extended-snapshot-attributes:progress": "100%" if value.status == records.AVAILABLE else "0%",
    }
    if asked.wants((3, 14)):
        view["group_snapshot_id"] = None
    if asked.wants((3, 41)):
        view["user_id"] = value.user_id
    if asked.wants((3, 65)):
        view["consumes_quota"] = True
    return view


def attachment(value: Attachment, connection_info: View) -> View:
    return {
        "id": value.id,
        "status": value.status,
        "instance": value.instance or None,
        "volume_id": value.volume_id,
        "attached_at": value.attached_at or "",
        "detached_at": "",
        "attach_mode": value.mode or "null",
        "connection_info": connection_info,
    }


def attachment_item(value: Attachment) -> View:
    """An item of the short list."""
    return {"id": value.id, "status": value.status, "instance": value.instance or None, "volume_id": value.volume_id}


def volume_type(value: VolumeType, is_admin: bool) -> View:
    view: View = {
        "id": value.id,
        "name": value.name,
        "description": value.description,
        "is_public": value.is_public,
        "os-volume-type-access:is_public": value.is_public,
        "extra_specs": dict(value.extra_specs),
    }
    if is_admin:
        view["qos_specs_id"] = None
    return view
