"""Block devices of a create body, in the two forms there are."""

from __future__ import annotations

from nova_lite.api.openstack.compute.schemas import types as t

_COMMON: dict[str, t.Schema] = {
    "virtual_name": {"type": "string", "maxLength": 255},
    "volume_id": t.UUID,
    "snapshot_id": t.UUID,
    "volume_size": t.VOLUME_SIZE,
    "device_name": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[a-zA-Z0-9._/-]*$"},
    "delete_on_termination": t.BOOLEAN,
    "no_device": t.ANY,
    "connection_info": {"type": "string", "maxLength": 16777215},
}

LEGACY_DEVICE = t.closed(_COMMON)

DEVICE_V2 = t.closed(
    {
        **_COMMON,
        "source_type": {"type": "string", "enum": ["volume", "image", "snapshot", "blank"]},
        "uuid": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[a-zA-Z0-9._-]*$"},
        "image_id": t.UUID,
        "destination_type": {"type": "string", "enum": ["local", "volume"]},
        "guest_format": {"type": "string", "maxLength": 255},
        "device_type": {"type": "string", "maxLength": 255},
        "disk_bus": {"type": "string", "maxLength": 255},
        "boot_index": {"type": ["integer", "string", "null"], "pattern": "^-?[0-9]+$"},
    }
)
