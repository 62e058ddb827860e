"""A migration as JSON in the list of all, at every microversion."""

from __future__ import annotations

from nova_lite.api.openstack.compute.views.times import micro
from nova_lite.api.openstack.compute.views.undo import History, View, drop, step
from nova_lite.api.openstack.links import Links
from nova_lite.api.openstack.microversions import Microversion
from nova_lite.objects import Flavor, Migration, MigrationType
from nova_lite.objects.migration import IN_PROGRESS

_HISTORY = History(
    step("2.80", drop("user_id", "project_id")),
    step("2.59", drop("uuid")),
    step("2.23", drop("migration_type", "links")),
)
_HOSTS = ("source_compute", "source_node", "dest_compute", "dest_node", "dest_host")


def item(migration: Migration, version: Microversion, links: Links, *, hosts: bool) -> View:
    """One move; which hosts it joins only where ``hosts``. A live migration under way has links to itself."""
    view: View = {name: getattr(migration, name) if hosts else None for name in _HOSTS}
    view |= {
        "id": migration.id,
        "uuid": migration.uuid,
        "instance_uuid": migration.instance_uuid,
        "migration_type": str(migration.migration_type),
        "status": str(migration.status),
        "old_instance_type_id": _number(migration.old_flavor),
        "new_instance_type_id": _number(migration.new_flavor),
        "user_id": migration.user_id,
        "project_id": migration.project_id,
        "created_at": micro(migration.created_at),
        "updated_at": micro(migration.updated_at),
    }
    if migration.migration_type == MigrationType.LIVE and migration.status in IN_PROGRESS:
        view["links"] = links.pair(f"servers/{migration.instance_uuid}/migrations", str(migration.id))
    return _HISTORY.walk_back(view, version)


def _number(flavor: Flavor | None) -> int | None:
    return None if flavor is None else flavor.id
