"""Bodies of resize, migrate, confirmResize and revertResize."""

from __future__ import annotations

from nova_lite.api.openstack.compute.schemas import types as t
from nova_lite.api.openstack.compute.schemas.server_actions import anything
from nova_lite.api.openstack.compute.schemas.servers import DISK_CONFIG, FLAVOR_REF
from nova_lite.api.openstack.microversions import Versioned

RESIZE = t.action("resize", t.closed({"flavorRef": FLAVOR_REF, "OS-DCF:diskConfig": DISK_CONFIG}, ("flavorRef",)))
CONFIRM = anything("confirmResize")
REVERT = anything("revertResize")
MIGRATE = Versioned(
    v2_1=t.action("migrate", t.ANY),
    v2_56=t.action(
        "migrate", {"type": ["object", "null"], "properties": {"host": t.HOST}, "additionalProperties": False}
    ),
)
