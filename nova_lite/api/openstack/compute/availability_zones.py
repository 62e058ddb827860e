"""Availability zones: which there are; in detail with their hosts and services."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from oslo_config import cfg

from nova_lite import liveness
from nova_lite.api.openstack.compute.views.services import shown_binary
from nova_lite.api.openstack.compute.views.times import micro
from nova_lite.api.openstack.request import Request
from nova_lite.db.api import aggregates, services
from nova_lite.objects import Service

Zones = dict[str, list[Service]]


INTERNAL = "internal"


def zone_reader(conf: cfg.ConfigOpts) -> Callable[[Service], str]:
    """The zone of services: hosts of servers are in their aggregate's or the default, everything else is internal."""
    of_hosts, default = aggregates.availability_zone_of_hosts(), conf.default_availability_zone

    def zone(service: Service) -> str:
        return of_hosts.get(service.host, default) if service.binary == liveness.COMPUTE else INTERNAL

    return zone


class AvailabilityZonesController:
    def __init__(self, conf: cfg.ConfigOpts) -> None:
        self._conf = conf

    def index(self, req: Request) -> dict[str, Any]:
        """A zone is available while it has an enabled compute host; the internal zone is nobody's choice."""
        zones = self._zones(services.list(binary=liveness.COMPUTE))
        return {
            "availabilityZoneInfo": [
                _zone(name, any(not service.disabled for service in members), None)
                for name, members in sorted(zones.items())
            ]
        }

    def detail(self, req: Request) -> dict[str, Any]:
        """With the hosts of each zone that is available: those that are enabled, and how their services are."""
        zones = self._zones(services.list())
        enabled = {name: [each for each in members if not each.disabled] for name, members in zones.items()}
        return {
            "availabilityZoneInfo": [
                _zone(name, bool(members), self._hosts(members) if members else None)
                for name, members in sorted(enabled.items())
            ]
        }

    def _zones(self, found: list[Service]) -> Zones:
        zone = zone_reader(self._conf)
        zones: Zones = {}
        for service in found:
            zones.setdefault(zone(service), []).append(service)
        return zones

    def _hosts(self, members: list[Service]) -> dict[str, Any]:
        hosts: dict[str, Any] = {}
        for service in members:
            hosts.setdefault(service.host, {})[shown_binary(service.binary)] = {
                "active": not service.disabled,
                "available": self._is_up(service),
                "updated_at": micro(service.last_seen_at),
            }
        return hosts

    def _is_up(self, service: Service) -> bool:
        return liveness.is_up(service, self._conf.operations.service_down_s)


def _zone(name: str, available: bool, hosts: dict[str, Any] | None) -> dict[str, Any]:
    return {"zoneName": name, "zoneState": {"available": available}, "hosts": hosts}
