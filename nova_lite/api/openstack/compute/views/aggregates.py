"""An aggregate as JSON, at every microversion."""

from __future__ import annotations

from nova_lite.api.openstack.compute.views.times import micro
from nova_lite.api.openstack.compute.views.undo import History, View, drop, step
from nova_lite.api.openstack.microversions import Microversion
from nova_lite.objects import Aggregate

_HISTORY = History(step("2.41", drop("uuid")))


def item(aggregate: Aggregate, version: Microversion) -> View:
    view: View = {
        "id": aggregate.id,
        "uuid": aggregate.uuid,
        "name": aggregate.name,
        "availability_zone": aggregate.availability_zone,
        "metadata": dict(aggregate.metadata),
        "hosts": list(aggregate.hosts),
        "created_at": micro(aggregate.created_at),
        "updated_at": micro(aggregate.updated_at),
        "deleted": False,
        "deleted_at": None,
    }
    return _HISTORY.walk_back(view, version)


def created(aggregate: Aggregate, version: Microversion) -> View:
    """The answer of create, which is too young to have hosts."""
    view = item(aggregate, version)
    del view["hosts"], view["metadata"]
    return view
