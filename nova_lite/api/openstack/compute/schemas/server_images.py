"""Bodies of the actions that make, use or need images: snapshots, rebuild, rescue, shelving."""

from __future__ import annotations

from nova_lite.api.openstack.compute.schemas import servers
from nova_lite.api.openstack.compute.schemas import types as t
from nova_lite.api.openstack.microversions import Versioned

_NULL: t.Schema = {"type": "null"}

CREATE_IMAGE = t.action("createImage", t.closed({"name": t.NAME, "metadata": t.METADATA}, ("name",)))
CREATE_BACKUP = t.action(
    "createBackup",
    t.closed(
        {
            "name": t.NAME,
            "backup_type": {"type": "string"},
            "rotation": t.NON_NEGATIVE_INT,
            "metadata": t.METADATA,
        },
        ("name", "backup_type", "rotation"),
    ),
)

_REBUILD = t.closed(
    {
        "name": t.NAME,
        "imageRef": t.UUID,
        "adminPass": {"type": "string"},
        "metadata": t.METADATA,
        "preserve_ephemeral": t.BOOLEAN,
        "OS-DCF:diskConfig": servers.DISK_CONFIG,
        "accessIPv4": t.IPV4,
        "accessIPv6": t.IPV6,
        "personality": servers.PERSONALITY,
    },
    ("imageRef",),
)
_R19 = t.add(_REBUILD, {"description": t.DESCRIPTION})
_R54 = t.add(_R19, {"key_name": {"oneOf": [t.NAME, _NULL]}})
_R57 = t.add(t.without(_R54, "personality"), {"user_data": {"oneOf": [servers.USER_DATA, _NULL]}})
_R63 = t.add(_R57, {"trusted_image_certificates": servers.TRUSTED_CERTS})
_R90 = t.add(_R63, {"hostname": servers.HOSTNAME})
_R94 = t.add(_R90, {"hostname": servers.FQDN})

REBUILD = Versioned(
    v2_1=t.action("rebuild", _REBUILD),
    v2_19=t.action("rebuild", _R19),
    v2_54=t.action("rebuild", _R54),
    v2_57=t.action("rebuild", _R57),
    v2_63=t.action("rebuild", _R63),
    v2_90=t.action("rebuild", _R90),
    v2_94=t.action("rebuild", _R94),
)

RESCUE = t.action(
    "rescue",
    {
        "type": ["object", "null"],
        "properties": {"adminPass": {"type": "string"}, "rescue_image_ref": t.UUID},
        "additionalProperties": False,
    },
)

_TO_ZONE = t.closed({"availability_zone": t.NAME}, ("availability_zone",))
_TO_PLACE = t.closed(
    {"availability_zone": {"oneOf": [_NULL, t.NAME]}, "host": {"type": "string", "minLength": 1, "maxLength": 255}}
)
UNSHELVE = Versioned(
    v2_1=t.action("unshelve", t.ANY),
    v2_77=t.action("unshelve", {"oneOf": [_TO_ZONE, _NULL]}),
    v2_91=t.action("unshelve", {"oneOf": [_TO_PLACE, _NULL]}),
)
