"""From a row of the route table to the contract's entry of it, and to a request that its schema takes."""

from __future__ import annotations

import re
from typing import Any

from nova_lite.api.openstack.microversions import Microversion
from nova_lite.api.openstack.routes import ROUTES, Route
from tests.harness.contract import material, substitute

UNKNOWN = "11111111-2222-3333-4444-555555555555"
# Calls that the contract keeps: not the removed ones, nor what everybody may ask without a token, nor our own.
KEPT = tuple(route for route in ROUTES if not route.handler.startswith(("retired:", "api_versions:", "beyond:")))

_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl mine"
# Where the sample is refused by its own version (README, limits), or names what only Nova's tests have.
_BODIES: dict[str, Any] = {
    "POST /os-server-external-events": {"events": [{"name": "network-changed", "server_uuid": UNKNOWN}]},
    # A host by name is a rule of its own.
    "POST /servers/{id}/action os-migrateLive": {"os-migrateLive": {"host": None, "block_migration": "auto"}},
    "POST /servers/{server_id}/remote-consoles": {"remote_console": {"protocol": "vnc", "type": "novnc"}},
    "POST /os-keypairs": {"keypair": {"name": "of the matrix", "public_key": _KEY}},
}


def label(route: Route) -> str:
    return f"{route.method} {route.path} {route.action or ''}".strip()


def _bare(path: str) -> str:
    return re.sub(r"\{\w+\}", "{}", path)


def entry(route: Route) -> dict[str, Any]:
    """The contract's operation of this row.

    :raises ValueError: it has none, or several.
    """
    (found,) = [
        each for each in material.operations().values()
        if (each["method"], _bare(each["path"]), each.get("action"))
        == (route.method, _bare(route.path), route.action) and "mount" not in each
    ]  # fmt: skip
    return found


def body(route: Route, ids: substitute.Ids, version: Microversion | None = None) -> Any:
    """The body of the newest sample at ``version`` (the row's first); None where the call takes none."""
    found = entry(route)
    if found["id"] in _BODIES:
        return _BODIES[found["id"]]
    at = version or route.since
    samples = material.samples_at(found.get("request_samples", []), (at.major, at.minor))
    if not samples:
        return {route.action: None} if route.action else None
    return substitute.request(material.sample(next(iter(samples.values()))), ids)
