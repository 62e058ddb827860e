"""The fake hypervisor's remote consoles: addresses that nothing listens on."""

from __future__ import annotations

import dataclasses

from nova_lite.objects import ConsoleType, Instance
from nova_lite.virt import driver
from nova_lite.virt.fake.base import FakeBase

# The well-known first ports of the protocols; the documentation addresses of RFC 2606 (.invalid) answer to nobody.
_ENDPOINTS = {
    ConsoleType.NOVNC: driver.ConsoleEndpoint("vnc.invalid", 5900),
    ConsoleType.SPICE_HTML5: driver.ConsoleEndpoint("spice.invalid", 5900, tls_port=5901),
    ConsoleType.SPICE_DIRECT: driver.ConsoleEndpoint("spice.invalid", 5900, tls_port=5901),
    ConsoleType.SERIAL: driver.ConsoleEndpoint("serial.invalid", 6083),
    ConsoleType.WEBMKS: driver.ConsoleEndpoint("mks.invalid", 6969),
}


class FakeConsoles(FakeBase, driver.RemoteConsoleDriver):
    """Group ``remote_console``."""

    def console_endpoint(self, instance: Instance, console_type: ConsoleType) -> driver.ConsoleEndpoint:
        self.plan.strike("console_endpoint", instance.uuid)
        self._guest(instance)
        endpoint = _ENDPOINTS[console_type]
        # A native client is let in by the address alone.
        path = None if console_type is ConsoleType.SPICE_DIRECT else instance.uuid
        return dataclasses.replace(endpoint, internal_access_path=path)
