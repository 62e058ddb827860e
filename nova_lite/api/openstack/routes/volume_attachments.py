"""Volumes of a server. Changing one asks the policy by what is changed."""

from __future__ import annotations

from nova_lite.api.openstack.microversions import Versioned
from nova_lite.api.openstack.routes.route import OS, Route

_ALL = "/servers/{server_id}/os-volume_attachments"
_ONE = _ALL + "/{id}"
_RULE = OS + "os-volumes-attachments:"

ROUTES = (
    Route("GET", _ALL, "volume_attachments:index", _RULE + "index", subject="server"),
    Route(
        "POST", _ALL, "volume_attachments:create", _RULE + "create", Versioned(v2_1=200, v2_101=202), subject="server"
    ),
    Route("GET", _ONE, "volume_attachments:show", _RULE + "show", subject="server"),
    Route("PUT", _ONE, "volume_attachments:update", status=202, subject="server"),
    Route("DELETE", _ONE, "volume_attachments:delete", _RULE + "delete", 202, subject="server"),
)
