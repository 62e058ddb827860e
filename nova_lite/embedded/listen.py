"""Where the stand-ins listen, and under which URLs clients find them."""

from __future__ import annotations

import ipaddress
import socket

from oslo_config import cfg

from nova_lite import exception

COMPUTE, IDENTITY, IMAGE = "compute", "identity", "image"
NETWORK = "network"
VOLUME = "block-storage"


def is_loopback(host: str) -> bool:
    """True only where no other machine can reach the address; a name counts when all its addresses do."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        pass
    try:
        found = {info[4][0] for info in socket.getaddrinfo(host, None)}
    except OSError:
        return False
    return bool(found) and all(ipaddress.ip_address(str(address).split("%")[0]).is_loopback for address in found)


def check_listen(host: str, conf: cfg.ConfigOpts) -> None:
    """Refuse to offer the stand-ins to other machines unless the operator said so.

    :raises ConfigInvalid: the address is not loopback and [embedded] allow_remote is false.
    """
    if conf.embedded.allow_remote or is_loopback(host):
        return
    raise exception.ConfigInvalid(
        detail=f"The embedded services speak plain HTTP and will not listen on {host}: "
        "use a loopback address, or set [embedded] allow_remote = true on a network you trust."
    )


def public_host(conf: cfg.ConfigOpts) -> str:
    """The host part of the stand-ins' URLs, with brackets where IPv6 needs them."""
    host: str = conf.embedded.public_host or conf.embedded.listen
    if host in ("0.0.0.0", "::"):
        host = socket.gethostname()
    return f"[{host}]" if ":" in host else host


def _compute_port(conf: cfg.ConfigOpts) -> int:
    try:
        return int(conf.osapi_compute_listen_port)
    except cfg.NoSuchOptError:  # a process that has no compute API and did not register its options
        return 8774


def service_urls(conf: cfg.ConfigOpts) -> dict[str, str]:
    """The endpoint of each service type."""
    host = public_host(conf)
    return {
        IDENTITY: f"http://{host}:{conf.embedded.identity_port}/v3",
        COMPUTE: f"http://{host}:{_compute_port(conf)}/v2.1",
        IMAGE: f"http://{host}:{conf.embedded.image_port}",
        NETWORK: f"http://{host}:{conf.embedded.network_port}",
        VOLUME: f"http://{host}:{conf.embedded.volume_port}/v3",
    }
