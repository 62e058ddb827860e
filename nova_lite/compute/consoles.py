"""The consoles of a host's guests: which there are by configuration, and where a proxy finds one."""

from __future__ import annotations

from typing import Any

from nova_lite import exception
from nova_lite.objects import ConsoleAddress, ConsoleType, Instance
from nova_lite.virt.driver import ComputeDriver

# type: the group and the option of its proxy's address
PROXIES: dict[ConsoleType, tuple[str, str]] = {
    ConsoleType.NOVNC: ("vnc", "novncproxy_base_url"),
    ConsoleType.SPICE_HTML5: ("spice", "html5proxy_base_url"),
    ConsoleType.SPICE_DIRECT: ("spice", "spice_direct_proxy_base_url"),
    ConsoleType.SERIAL: ("serial_console", "base_url"),
    ConsoleType.WEBMKS: ("mks", "mksproxy_base_url"),
}


def address(conf: Any, driver: ComputeDriver, instance: Instance, console_type: ConsoleType) -> ConsoleAddress:
    """Where the guest's console is.

    :raises ConsoleTypeUnavailable: it is switched off here.
    :raises NotSupported: the hypervisor has no such consoles; :raises GuestNotFound: there is no guest.
    """
    group, option = PROXIES[console_type]
    if not conf[group].enabled:
        raise exception.ConsoleTypeUnavailable(console_type=console_type)
    if "remote_console" not in driver.capabilities:
        raise exception.NotSupported()
    endpoint = driver.console_endpoint(instance, console_type)  # type: ignore[attr-defined]
    return ConsoleAddress(
        host=endpoint.host,
        port=endpoint.port,
        tls_port=endpoint.tls_port,
        internal_access_path=endpoint.internal_access_path,
        access_url_base=conf[group][option],
    )
