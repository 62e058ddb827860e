"""Puts ids that exist into a request sample, by kind: images, flavors, networks, hosts, groups, keys, zones.

Samples name things of Nova's own test cloud; the world under test has others (contract README, point 1).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Ids:
    """What exists in the world under test. None where there is none, or where nobody has looked yet."""

    image: str
    flavor: str
    zone: str = "nova"
    server: str | None = None
    host: str | None = None
    node: str | None = None
    network: str | None = None
    group: str | None = None
    user: str | None = None
    volume_type: str = "__DEFAULT__"
    key_name: str | None = None
    unique: Callable[[str], str] = lambda prefix: prefix


class Unavailable(Exception):
    """The sample names a kind of thing that the world under test has not got; says which."""


_HREF = re.compile(r"^https?://[^/]+/.*/")


def request(sample: Any, ids: Ids) -> Any:
    """The sample's body with ids of this world.

    :raises Unavailable: the world lacks something that the sample names.
    """
    return _walk(sample, "", ids)


def _walk(value: Any, key: str, ids: Ids, parent: str = "") -> Any:
    if isinstance(value, dict):
        return {name: _walk(each, name, ids, key) for name, each in value.items()}
    if isinstance(value, list):
        return [_walk(each, key, ids, parent) for each in value]
    if isinstance(value, str):
        return _string(value, key, parent, ids)
    return value


def _string(value: str, key: str, parent: str, ids: Ids) -> str:
    if key == "name" and parent == "keypair":
        return ids.unique("me.and.myself@this.domain " if "@" in value else "keypair-")
    if (parent, key) in _BY_PARENT:
        return _have(_BY_PARENT[parent, key](ids), f"{parent} {key}")
    if key in _BY_KEY:
        href = _HREF.match(value)
        return (href.group() if href else "") + _have(_BY_KEY[key](ids), key)
    return value


_WORDS = {"group": "server groups", "networks uuid": "a network by id (--network)"}


def _have(value: str | None, what: str) -> str:
    if value is None:
        raise Unavailable(_WORDS.get(what, what))
    return value


_BY_KEY: dict[str, Callable[[Ids], str | None]] = {
    "imageRef": lambda ids: ids.image,
    "flavorRef": lambda ids: ids.flavor,
    "availability_zone": lambda ids: ids.zone,
    "same_host": lambda ids: ids.server,
    "different_host": lambda ids: ids.server,
    "group": lambda ids: ids.group,
    "host": lambda ids: ids.host,
    "hypervisor_hostname": lambda ids: ids.node,
    "volume_type": lambda ids: ids.volume_type,
    "key_name": lambda ids: ids.key_name,
}
_BY_PARENT: dict[tuple[str, str], Callable[[Ids], str | None]] = {
    ("keypair", "user_id"): lambda ids: ids.user,
    ("networks", "uuid"): lambda ids: ids.network,
    ("block_device_mapping_v2", "uuid"): lambda ids: ids.image,
    ("rescue", "rescue_image_ref"): lambda ids: ids.image,
}
