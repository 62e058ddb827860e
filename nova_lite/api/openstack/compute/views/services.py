"""A service as JSON. Binaries have Nova's names at this door: clients and playbooks ask for ``nova-compute``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nova_lite.api.openstack.compute.views.times import micro
from nova_lite.api.openstack.compute.views.undo import History, View, drop, step
from nova_lite.api.openstack.microversions import Microversion
from nova_lite.objects import Service

_OURS, _NOVAS = "nova-lite-", "nova-"


def shown_binary(binary: str) -> str:
    """``nova-lite-compute`` as clients know it: ``nova-compute``."""
    return _NOVAS + binary.removeprefix(_OURS) if binary.startswith(_OURS) else binary


def own_binary(binary: str) -> str:
    """The way back."""
    if binary.startswith(_OURS) or not binary.startswith(_NOVAS):
        return binary
    return _OURS + binary.removeprefix(_NOVAS)


def _number(view: View, service: Any) -> None:
    view["id"] = service.id


_HISTORY = History(step("2.53", _number), step("2.11", drop("forced_down")))


class ServiceViews:
    """Makes the views of one request; ``zone`` and ``is_up`` answer for a service."""

    def __init__(self, version: Microversion, zone: Callable[[Service], str], is_up: Callable[[Service], bool]) -> None:
        self._version = version
        self._zone = zone
        self._is_up = is_up

    def item(self, service: Service) -> dict[str, Any]:
        view = {
            "id": service.uuid,
            "binary": shown_binary(service.binary),
            "host": service.host,
            "zone": self._zone(service),
            "status": "disabled" if service.disabled else "enabled",
            "state": "up" if self._is_up(service) else "down",
            "updated_at": micro(service.last_seen_at or service.updated_at),
            "disabled_reason": service.disabled_reason,
            "forced_down": service.forced_down,
        }
        return _HISTORY.walk_back(view, self._version, service)
