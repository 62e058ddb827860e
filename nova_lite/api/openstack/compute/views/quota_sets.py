"""Quota sets as JSON, at every microversion. Of what went with a version, the old value is put back on the way back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nova_lite.api.openstack.compute.views.undo import History, Undo, View, step
from nova_lite.api.openstack.microversions import Microversion

RESOURCES = ("instances", "cores", "ram", "metadata_items", "key_pairs", "server_groups", "server_group_members")
# Counted by other services, or no longer at all; nobody limits them here.
NETWORK = {"fixed_ips": -1, "floating_ips": -1, "security_groups": -1, "security_group_rules": -1}
FILES = {"injected_files": 5, "injected_file_content_bytes": 10240, "injected_file_path_bytes": 255}


def _put_back(limits: Mapping[str, int]) -> Undo:
    def undo(view: View, maker: Any) -> None:
        view.update({name: maker(limit, 0) for name, limit in limits.items()})

    return undo


_HISTORY = History(step("2.57", _put_back(FILES)), step("2.36", _put_back(NETWORK)))


def _bare(limit: int, used: int) -> int:
    return limit


def _full(limit: int, used: int) -> dict[str, int]:
    return {"limit": limit, "in_use": used, "reserved": 0}


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
    return {"quota_set": _HISTORY.walk_back(view, version, form)}
