"""Consoles of servers: a URL with a token that opens one for a while, and what a proxy asks about such a token."""

from __future__ import annotations

import datetime
import urllib.parse
import uuid

from nova_lite import exception
from nova_lite.compute import acceptance, actions
from nova_lite.compute.doors.door import Door, check_host
from nova_lite.context import RequestContext
from nova_lite.db import clock
from nova_lite.db.api import console_tokens
from nova_lite.objects import ConsoleToken, ConsoleType, Instance


class ConsoleDoor(Door):
    def url(self, ctxt: RequestContext, instance: Instance, console_type: ConsoleType) -> str:
        """A URL that opens the console until [consoleauth] token_ttl is over.

        :raises InstanceNotReady: there is no host or no guest; :raises InstanceInvalidState: it is going or moving.
        :raises ConsoleTypeUnavailable: the host has no such consoles; :raises NotSupported: its hypervisor has none.
        """
        host = check_host(instance)
        acceptance.check(actions.GET_REMOTE_CONSOLE, instance)
        try:
            address = self._rpcapi.console_address(ctxt, host, instance, console_type)
        except exception.GuestNotFound:
            raise exception.InstanceNotReady(instance_uuid=instance.uuid) from None
        token = str(uuid.uuid4())
        expires = clock.now() + datetime.timedelta(seconds=self._conf.consoleauth.token_ttl)
        console_tokens.create(token, ConsoleToken(instance.uuid, console_type, address, expires))
        return access_url(address.access_url_base, console_type, token)

    def validate(self, token: str) -> ConsoleToken:
        """What a token opens. :raises ConsoleTokenNotFound: nothing, or not any more."""
        return console_tokens.validate(token)


def access_url(base: str, console_type: ConsoleType, token: str) -> str:
    """The proxy's address with the token where its page looks for it: noVNC takes it out of its websocket's path."""
    query = f"token={token}"
    if console_type is ConsoleType.NOVNC:
        query = urllib.parse.urlencode({"path": f"?{query}"})
    return f"{base}?{query}"
