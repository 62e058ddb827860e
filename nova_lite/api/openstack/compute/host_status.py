"""How a host is, in Nova's words: UP, DOWN, MAINTENANCE, UNKNOWN, or nothing for no host."""

from __future__ import annotations

from collections.abc import Callable

from oslo_config import cfg

from nova_lite import liveness
from nova_lite.db.api import services
from nova_lite.objects import Service


def word(service: Service, down_s: float) -> str:
    """The status of the host a compute service runs on."""
    if service.forced_down:
        return "DOWN"
    if service.disabled:
        return "MAINTENANCE"
    return "UP" if liveness.is_up(service, down_s) else "UNKNOWN"


def none(host: str | None) -> str:
    """For views that show no host's status."""
    return ""


def reader(conf: cfg.ConfigOpts) -> Callable[[str | None], str]:
    """The status of hosts for one request; the services are read at the first question only."""
    known: dict[str, str] | None = None

    def status(host: str | None) -> str:
        nonlocal known
        if not host:
            return ""
        if known is None:
            down_s = conf.operations.service_down_s
            known = {service.host: word(service, down_s) for service in services.list(binary=liveness.COMPUTE)}
        return known.get(host, "UNKNOWN")

    return status
