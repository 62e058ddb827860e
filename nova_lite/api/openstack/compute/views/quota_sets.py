"""Quota sets as JSON, at every microversion. Of what went with a version, the old value is put back on the way back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nova_lite.api.openstack.compute.views.undo import History, View, drop, step
from nova_lite.api.openstack.microversions import Microversion

RESOURCES = ("instances", "cores", "ram", "metadata_items", "key_pairs", "server_groups", "server_group_members")
# Counted by other services: whatever is set, nobody limits them here.
NETWORK = {"fixed_ips": -1, "floating_ips": -1, "security_groups": -1, "security_group_rules": -1}
# What these are where nobody set them.
FILES = {"injected_files": 5, "injected_file_content_bytes": 10240, "injected_file_path_bytes": 255}


def _bare(limit: int, used: int) -> int:
    return limit


def _full(limit: int, used: int) -> dict[str, int]:
    return {"limit": limit, "in_use": used, "reserved": 0}


def _files(view: View, maker: tuple[Any, Mapping[str, int]]) -> None:
    form, limits = maker
    view.update({name: form(limits.get(name, default), 0) for name, default in FILES.items()})


def _network(view: View, maker: tuple[Any, Mapping[str, int]]) -> None:
    view.update({name: maker[0](limit, 0) for name, limit in NETWORK.items()})


def _class_network(view: View, maker: tuple[Any, Mapping[str, int]]) -> None:
    """A class remembers what was set, although it limits nobody."""
    view.update({name: maker[1].get(name, default) for name, default in NETWORK.items()})


_HISTORY = History(step("2.57", _files), step("2.36", _network))
# Classes lost their network keys later, and did not know server groups before.
_CLASS_HISTORY = History(
    step("2.57", _files), step("2.50", _class_network), step("2.50", drop("server_groups", "server_group_members"))
)


def show(
    limits: Mapping[str, int],
    version: Microversion,
    project_id: str | None,
    usage: Mapping[str, int] | None = None,
) -> dict[str, View]:
    """Limits, with what is in use where ``usage`` is given; the answer to a change names no project."""
    form = _bare if usage is None else _full
    view: View = {name: form(limits[name], (usage or {}).get(name, 0)) for name in RESOURCES}
    if project_id is not None:
        view["id"] = project_id
    return {"quota_set": _HISTORY.walk_back(view, version, (form, limits))}


def show_class(limits: Mapping[str, int], version: Microversion, class_name: str | None) -> dict[str, View]:
    """A class's limits; the answer to a change does not name it."""
    view: View = {name: limits[name] for name in RESOURCES}
    if class_name is not None:
        view["id"] = class_name
    return {"quota_class_set": _CLASS_HISTORY.walk_back(view, version, (_bare, limits))}
