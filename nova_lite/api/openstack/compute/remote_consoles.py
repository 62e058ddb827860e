"""Remote consoles of a server: a URL that opens one for a while."""

from __future__ import annotations

from nova_lite import exception
from nova_lite.api.openstack.compute.schemas import remote_consoles as schemas
from nova_lite.api.openstack.request import Request
from nova_lite.api.openstack.validation import validated
from nova_lite.compute.api import API
from nova_lite.objects import ConsoleType, Instance

_TYPES = {
    "vnc": (ConsoleType.NOVNC,),
    "spice": (ConsoleType.SPICE_HTML5, ConsoleType.SPICE_DIRECT),
    "serial": (ConsoleType.SERIAL,),
    "mks": (ConsoleType.WEBMKS,),
}


class RemoteConsolesController:
    def __init__(self, compute: API) -> None:
        self._compute = compute

    @validated(body=schemas.CREATE)
    def create(self, req: Request, server: Instance) -> dict[str, dict[str, str]]:
        """
        :raises ConsoleTypeInvalid: the protocol has no such type
        """
        wanted = req.body["remote_console"]
        console_type = ConsoleType(wanted["type"])
        if console_type not in _TYPES[wanted["protocol"]]:
            raise exception.ConsoleTypeInvalid(console_type=console_type)
        url = self._compute.consoles.url(req.ctxt, server, console_type)
        return {"remote_console": {"protocol": wanted["protocol"], "type": wanted["type"], "url": url}}

    @validated(body=schemas.VNC)
    def vnc(self, req: Request, server: Instance) -> dict[str, dict[str, str]]:
        """The action of versions before 2.6."""
        url = self._compute.consoles.url(req.ctxt, server, ConsoleType.NOVNC)
        return {"console": {"type": req.body["os-getVNCConsole"]["type"], "url": url}}
