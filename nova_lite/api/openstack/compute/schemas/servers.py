"""Bodies and queries of servers, each version a delta of the one before."""

from __future__ import annotations

from nova_lite.api.openstack.compute.schemas import types as t
from nova_lite.api.openstack.compute.schemas.block_devices import DEVICE_V2, LEGACY_DEVICE
from nova_lite.api.openstack.microversions import Versioned

Schema = t.Schema

_IMAGE_REF: Schema = {"oneOf": [t.UUID, {"type": "string", "maxLength": 0}]}
FLAVOR_REF: Schema = {"type": ["string", "integer"], "minLength": 1}
DISK_CONFIG: Schema = {"type": "string", "enum": ["AUTO", "MANUAL"]}
PERSONALITY: Schema = {
    "type": "array",
    "items": t.closed({"path": {"type": "string"}, "contents": {"type": "string", "format": "base64"}}),
}
_GROUPS: Schema = {
    "type": "array",
    "items": t.closed({"name": {"type": "string", "minLength": 1, "maxLength": 255}}),
}
USER_DATA: Schema = {"type": "string", "format": "base64", "maxLength": 65535}
TRUSTED_CERTS: Schema = {
    "type": ["array", "null"],
    "minItems": 1,
    "maxItems": 50,
    "uniqueItems": True,
    "items": {"type": "string", "minLength": 1},
}
# A label can be read in one way only. Nova's own form ("[a-zA-Z0-9]+(...)?") can be read in as many as it has letters,
# and a name of eight long labels and one wrong character holds a worker for ever.
_LABEL = "[a-zA-Z0-9]([a-zA-Z0-9-]*[a-zA-Z0-9])?"
HOSTNAME: Schema = {
    "type": "string",
    "minLength": 1,
    "maxLength": 63,
    "pattern": f"^{_LABEL}$",
}
FQDN: Schema = {
    "type": "string",
    "minLength": 1,
    "maxLength": 255,
    "pattern": rf"^({_LABEL}\.)*{_LABEL}$",
}

_NETWORK = t.closed(
    {"fixed_ip": t.IP_ADDRESS, "port": {"oneOf": [t.UUID, {"type": "null"}]}, "uuid": {"type": "string"}}
)
_NETWORK_2_32 = t.add(_NETWORK, {"tag": t.TAG})
_NETWORK_2_37 = t.add(_NETWORK, {"uuid": t.UUID})
_NETWORK_2_42 = t.add(_NETWORK_2_37, {"tag": t.TAG})


def _networks(item: Schema) -> Schema:
    return {"type": "array", "items": item}


def _networks_or_word(item: Schema) -> Schema:
    return {"oneOf": [_networks(item), {"type": "string", "enum": ["none", "auto"]}]}


def _devices(item: Schema) -> Schema:
    return {"type": "array", "items": item}


# A few hundred servers may be named; more is no hint but a load for the scheduler.
_SERVER_IDS: Schema = {"oneOf": [t.UUID, {"type": "array", "items": t.UUID, "maxItems": 256}]}
HINTS: Schema = {
    "type": "object",
    "properties": {
        "group": t.UUID,
        "different_host": _SERVER_IDS,
        "same_host": _SERVER_IDS,
        "query": {"type": ["string", "object"]},
        "target_cell": t.NAME,
        "different_cell": {"type": ["string", "array"], "items": {"type": "string"}},
        "build_near_host_ip": t.IP_ADDRESS,
        "cidr": {"type": "string", "pattern": "^/[0-9a-f.:]+$"},
    },
    "maxProperties": 64,
    "additionalProperties": True,
}

_SERVER = t.closed(
    {
        "name": t.NAME,
        "imageRef": _IMAGE_REF,
        "flavorRef": FLAVOR_REF,
        "adminPass": {"type": "string"},
        "metadata": t.METADATA,
        "networks": _networks(_NETWORK),
        "OS-DCF:diskConfig": DISK_CONFIG,
        "accessIPv4": t.IPV4,
        "accessIPv6": t.IPV6,
        "personality": PERSONALITY,
        "availability_zone": t.NAME,
        "block_device_mapping": _devices(LEGACY_DEVICE),
        "block_device_mapping_v2": _devices(DEVICE_V2),
        "config_drive": t.BOOLEAN,
        "key_name": t.NAME,
        "min_count": t.POSITIVE_INT,
        "max_count": t.POSITIVE_INT,
        "return_reservation_id": t.BOOLEAN,
        "security_groups": _GROUPS,
        "user_data": USER_DATA,
    },
    ("name", "flavorRef"),
)

_DEVICE_TAG: Schema = {"tag": t.TAG}
_S19 = t.add(_SERVER, {"description": t.DESCRIPTION})
_S32 = t.add(
    _S19,
    {
        "networks": _networks(_NETWORK_2_32),
        "block_device_mapping_v2": _devices(t.add(DEVICE_V2, _DEVICE_TAG)),
    },
)
_S33 = t.add(_S32, {"block_device_mapping_v2": _devices(DEVICE_V2)})
_S37 = t.add(_S33, {"networks": _networks_or_word(_NETWORK_2_37)}, ("networks",))
_S42 = t.add(
    _S37,
    {
        "networks": _networks_or_word(_NETWORK_2_42),
        "block_device_mapping_v2": _devices(t.add(DEVICE_V2, _DEVICE_TAG)),
    },
)
_S52 = t.add(_S42, {"tags": {"type": "array", "items": t.TAG, "maxItems": 50}})
_S57 = t.without(_S52, "personality")
_S63 = t.add(_S57, {"trusted_image_certificates": TRUSTED_CERTS})
_S67 = t.add(_S63, {"block_device_mapping_v2": _devices(t.add(DEVICE_V2, {**_DEVICE_TAG, "volume_type": t.NAME}))})
_S74 = t.add(_S67, {"host": t.HOST, "hypervisor_hostname": {"type": "string", "minLength": 1, "maxLength": 255}})
_S90 = t.add(_S74, {"hostname": HOSTNAME})
_S94 = t.add(_S90, {"hostname": FQDN})


def _create(server: Schema) -> Schema:
    return t.closed({"server": server, "os:scheduler_hints": HINTS, "OS-SCH-HNT:scheduler_hints": HINTS}, ("server",))


CREATE = Versioned(
    v2_1=_create(_SERVER),
    v2_19=_create(_S19),
    v2_32=_create(_S32),
    v2_33=_create(_S33),
    v2_37=_create(_S37),
    v2_42=_create(_S42),
    v2_52=_create(_S52),
    v2_57=_create(_S57),
    v2_63=_create(_S63),
    v2_67=_create(_S67),
    v2_74=_create(_S74),
    v2_90=_create(_S90),
    v2_94=_create(_S94),
)

# Beyond Nova: see compute/once.py.
IDEMPOTENCY_KEY = {
    "Idempotency-Key": {
        "type": "string", "minLength": 1, "maxLength": 255,
        "description": "Said again with the same body within 24 hours, a creation happens once, with one answer.",
    }
}  # fmt: skip

_CHANGES = t.closed({"name": t.NAME, "OS-DCF:diskConfig": DISK_CONFIG, "accessIPv4": t.IPV4, "accessIPv6": t.IPV6})
_U19 = t.add(_CHANGES, {"description": t.DESCRIPTION})
_U90 = t.add(_U19, {"hostname": HOSTNAME})
_U94 = t.add(_U90, {"hostname": FQDN})
_U104 = t.add(_U94, {"pinned_availability_zone": {**t.NAME, "type": ["string", "null"]}})

UPDATE = Versioned(
    v2_1=t.closed({"server": _CHANGES}, ("server",)),
    v2_19=t.closed({"server": _U19}, ("server",)),
    v2_90=t.closed({"server": _U90}, ("server",)),
    v2_94=t.closed({"server": _U94}, ("server",)),
    v2_104=t.closed({"server": _U104}, ("server",)),
)

_TEXT: Schema = {"type": "string"}
_TIME: Schema = {"type": "string", "format": "date-time"}
# What Nova sorts by; the ignored ones are taken and forgotten.
SORT_KEYS = (
    "access_ip_v4", "access_ip_v6", "auto_disk_config", "availability_zone", "config_drive", "created_at",
    "display_description", "display_name", "host", "hostname", "image_ref", "instance_type_id", "kernel_id", "key_name",
    "launch_index", "launched_at", "locked_by", "node", "power_state", "progress", "project_id", "ramdisk_id",
    "root_device_name", "task_state", "terminated_at", "updated_at", "user_id", "uuid", "vm_state",
)  # fmt: skip
IGNORED_SORT_KEYS = (
    "architecture", "cell_name", "cells", "default_ephemeral_device", "default_swap_device", "deleted", "deleted_at",
    "disable_terminate", "ephemeral_gb", "ephemeral_key_uuid", "id", "internal_id", "memory_mb", "os_type",
    "reservation_id", "root_gb", "shutdown_terminate", "user_data", "vcpus", "vm_mode",
    "block_device_mapping", "services", "metadata", "system_metadata", "info_cache", "security_groups", "pci_devices",
)  # fmt: skip

_FILTER_NAMES = (
    "user_id project_id tenant_id launch_index image_ref image kernel_id ramdisk_id hostname key_name "
    "power_state vm_state task_state host node flavor reservation_id launched_at terminated_at "
    "availability_zone name display_name description display_description locked_by uuid root_device_name "
    "config_drive access_ip_v4 access_ip_v6 auto_disk_config progress all_tenants soft_deleted deleted status "
    "ip ip6 created_at block_device_mapping services metadata system_metadata info_cache security_groups "
    "pci_devices"
)
_QUERY = {
    **dict.fromkeys(_FILTER_NAMES.split(), _TEXT),
    "changes-since": _TIME,
    "sort_key": {"type": "string", "enum": [*SORT_KEYS, *IGNORED_SORT_KEYS]},
    "sort_dir": {"type": "string", "enum": ["asc", "desc"]},
    "limit": t.NON_NEGATIVE_INT,
    "marker": _TEXT,
}
_Q26 = {**_QUERY, **dict.fromkeys(("tags", "tags-any", "not-tags", "not-tags-any"), _TEXT)}
_Q66 = {**_Q26, "changes-before": _TIME}
_Q73 = {
    **_Q66,
    "sort_key": {"type": "string", "enum": [*SORT_KEYS, "locked", *IGNORED_SORT_KEYS]},
    "locked": t.BOOLEAN,
}
# Columns that begin with an underscore were once reachable; they are taken and forgotten.
_PRIVATE = {"^_": _TEXT}

LIST_QUERY = Versioned(
    v2_1=t.query(_QUERY, patterns=_PRIVATE),
    v2_26=t.query(_Q26, patterns=_PRIVATE),
    v2_66=t.query(_Q66, patterns=_PRIVATE),
    v2_73=t.query(_Q73, patterns=_PRIVATE),
    v2_75=t.query(_Q73, patterns=_PRIVATE, strict=True),
)
