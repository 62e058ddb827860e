"""A server group as JSON, at every microversion."""

from __future__ import annotations

from typing import Any

from nova_lite.api.openstack.compute.views.undo import History, View, drop, step
from nova_lite.api.openstack.microversions import Microversion
from nova_lite.objects import ServerGroup


def _policies(view: View, maker: Any) -> None:
    """What a list of policies and free metadata were, before there was one policy with rules."""
    del view["rules"]
    view["policies"] = [view.pop("policy")]
    view["metadata"] = {}


_HISTORY = History(step("2.64", _policies), step("2.13", drop("project_id", "user_id")))


def item(group: ServerGroup, version: Microversion) -> View:
    view = {
        "id": group.uuid,
        "name": group.name,
        "policy": group.policy,
        "rules": dict(group.rules),
        "members": list(group.members),
        "project_id": group.project_id,
        "user_id": group.user_id,
    }
    return _HISTORY.walk_back(view, version)
