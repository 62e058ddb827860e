"""What changes seldom in the network service and is read often, kept for a while: networks, subnets, groups."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from nova_lite import exception
from nova_lite.clock import monotonic
from nova_lite.network import vifs
from nova_lite.network.groups import Groups
from nova_lite.network.neutron import Json, Neutron
from nova_lite.objects import Subnet

_FRESH_S = 30.0
_MOST = 10_000


@dataclass(frozen=True)
class Known:
    """By id."""

    networks: dict[str, Json]
    subnets: dict[str, Subnet]
    groups: dict[str, str]


class Facts:
    """Reads only what is not known, or no longer fresh."""

    def __init__(self, neutron: Neutron, groups: Groups) -> None:
        self._neutron = neutron
        self._groups = groups
        self._kept: dict[tuple[str, str], tuple[float, Any]] = {}

    def of(self, ports: Iterable[Json]) -> Known:
        """All that is needed to describe these ports."""
        found = list(ports)
        networks = self._look("networks", (port["network_id"] for port in found))
        subnets = self._look("subnets", (each["subnet_id"] for port in found for each in port["fixed_ips"]))
        groups = self._look("groups", (ident for port in found for ident in port.get("security_groups", ())))
        return Known(networks, subnets, groups)

    def network(self, network_id: str) -> Json:
        """:raises NetworkNotFound: it went meanwhile."""
        found = self._look("networks", [network_id])
        if network_id not in found:
            raise exception.NetworkNotFound(network_id=network_id)
        return dict(found[network_id])

    def group_names(self, ids: Iterable[str]) -> dict[str, str]:
        """By id."""
        return self._look("groups", ids)

    def _look(self, kind: str, ids: Iterable[str]) -> dict[str, Any]:
        wanted = list(dict.fromkeys(ids))
        now = monotonic()
        known = {ident: kept[1] for ident in wanted if (kept := self._kept.get((kind, ident))) and kept[0] > now}
        missing = [ident for ident in wanted if ident not in known]
        if missing:
            if len(self._kept) > _MOST:
                self._kept.clear()
            read = self._read(kind, missing)
            self._kept.update({(kind, ident): (now + _FRESH_S, value) for ident, value in read.items()})
            known |= read
        return known

    def _read(self, kind: str, ids: list[str]) -> dict[str, Any]:
        if kind == "networks":
            fields = ("id", "name", "mtu", "port_security_enabled")
            return {row["id"]: row for row in self._neutron.list(None, "networks", id=ids, fields=fields)}
        if kind == "subnets":
            return {row["id"]: vifs.subnet(row) for row in self._neutron.list(None, "subnets", id=ids)}
        return {row["id"]: row["name"] for row in self._groups.many(None, ids, "id", "name")}
