"""The body of a live migration."""

from __future__ import annotations

from nova_lite.api.openstack.compute.schemas import types as t
from nova_lite.api.openstack.microversions import Versioned

_KEY = "os-migrateLive"
_HOST: t.Schema = {**t.HOST, "type": ["string", "null"]}
_AUTO: t.Schema = {**t.BOOLEAN, "enum": [*t.BOOLEAN["enum"], "auto"]}

_FIRST = t.closed(
    {"block_migration": t.BOOLEAN, "disk_over_commit": t.BOOLEAN, "host": _HOST},
    ("block_migration", "disk_over_commit", "host"),
)
_WITH_AUTO = t.add(t.without(_FIRST, "disk_over_commit"), {"block_migration": _AUTO})
_WITH_FORCE = t.add(_WITH_AUTO, {"force": t.BOOLEAN})

MIGRATE = Versioned(
    v2_1=t.action(_KEY, _FIRST),
    v2_25=t.action(_KEY, _WITH_AUTO),
    v2_30=t.action(_KEY, _WITH_FORCE),
    v2_68=t.action(_KEY, _WITH_AUTO),
)
