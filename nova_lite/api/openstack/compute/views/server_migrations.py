"""A live migration under way as JSON, at every microversion."""

from __future__ import annotations

from nova_lite.api.openstack.compute.views.times import micro
from nova_lite.api.openstack.compute.views.undo import History, View, drop, step
from nova_lite.api.openstack.microversions import Microversion
from nova_lite.objects import Migration

_HISTORY = History(step("2.80", drop("user_id", "project_id")), step("2.59", drop("uuid")))
_HOSTS = ("source_compute", "source_node", "dest_compute", "dest_node", "dest_host")
_NUMBERS = tuple(f"{what}_{part}_bytes" for what in ("memory", "disk") for part in ("total", "processed", "remaining"))


def item(migration: Migration, version: Microversion, *, hosts: bool) -> View:
    """One move; which hosts it joins only where ``hosts``. Numbers are null until the source has said any."""
    view: View = {name: getattr(migration, name) if hosts else None for name in _HOSTS}
    view |= {name: migration.progress.get(name) for name in _NUMBERS}
    view |= {
        "id": migration.id,
        "uuid": migration.uuid,
        "server_uuid": migration.instance_uuid,
        "status": str(migration.status),
        "user_id": migration.user_id,
        "project_id": migration.project_id,
        "created_at": micro(migration.created_at),
        "updated_at": micro(migration.updated_at),
    }
    return _HISTORY.walk_back(view, version)
