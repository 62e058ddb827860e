"""Console tokens, as a console proxy asks about them."""

from __future__ import annotations

from typing import Any

from nova_lite import exception
from nova_lite.api.openstack.compute.schemas import remote_consoles as schemas
from nova_lite.api.openstack.microversions import CONSOLE_TLS_PORT, CONSOLE_TOKENS_OF_ALL_TYPES
from nova_lite.api.openstack.request import Request
from nova_lite.api.openstack.validation import validated
from nova_lite.compute.api import API


class ConsoleAuthTokensController:
    def __init__(self, compute: API) -> None:
        self._compute = compute

    @validated(query=schemas.TOKEN_QUERY)
    def show(self, req: Request, id: str) -> dict[str, dict[str, Any]]:
        """
        :raises Unauthorized: before 2.31 only RDP consoles could be looked up, which are gone
        :raises ConsoleTokenNotFound: the token opens nothing, or not any more
        """
        token = self._compute.consoles.validate(id)
        if not req.wants(CONSOLE_TOKENS_OF_ALL_TYPES):
            raise exception.Unauthorized("The requested console type details are not accessible")
        address = token.address
        view = {
            "instance_uuid": token.instance_uuid,
            "host": address.host,
            "port": address.port,
            "internal_access_path": address.internal_access_path,
        }
        if req.wants(CONSOLE_TLS_PORT):
            view["tls_port"] = address.tls_port
        return {"console": view}
