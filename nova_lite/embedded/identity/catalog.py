"""The catalogue: which services there are and where; the same three interfaces for each."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

INTERFACES = ("public", "internal", "admin")

_NAMES = {
    "identity": ("keystone", "Embedded identity service of nova-lite"),
    "compute": ("nova", "nova-lite"),
    "image": ("glance", "Embedded image service of nova-lite"),
    "network": ("neutron", "Embedded network service of nova-lite"),
    "block-storage": ("cinder", "Embedded volume service of nova-lite"),
}


@dataclass(frozen=True)
class Catalog:
    """``urls`` by service type; ids are made from names, so that they are the same after each start."""

    urls: dict[str, str]
    region: str

    def for_token(self) -> list[dict[str, Any]]:
        """As a token carries it."""
        rows = []
        for service in self.services():
            endpoints = [
                {key: endpoint[key] for key in ("id", "interface", "region", "region_id", "url")}
                for endpoint in self.endpoints()
                if endpoint["service_id"] == service["id"]
            ]
            rows.append({**{key: service[key] for key in ("id", "type", "name")}, "endpoints": endpoints})
        return rows

    def services(self) -> list[dict[str, Any]]:
        return [
            {"id": _id(kind), "type": kind, "name": name, "description": description, "enabled": True}
            for kind, (name, description) in _NAMES.items()
            if kind in self.urls
        ]

    def endpoints(self) -> list[dict[str, Any]]:
        return [
            {
                "id": _id(f"{service['type']}/{interface}"),
                "interface": interface,
                "region": self.region,
                "region_id": self.region,
                "service_id": service["id"],
                "url": self.urls[service["type"]],
                "enabled": True,
            }
            for service in self.services()
            for interface in INTERFACES
        ]

    def regions(self) -> list[dict[str, Any]]:
        return [{"id": self.region, "description": "", "parent_region_id": None}]


def _id(name: str) -> str:
    return uuid.uuid5(uuid.NAMESPACE_URL, f"urn:nova-lite:embedded:{name}").hex
