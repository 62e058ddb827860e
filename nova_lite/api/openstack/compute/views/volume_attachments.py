"""A server's volume attachments as JSON, at every microversion."""

from __future__ import annotations

from typing import Any

from nova_lite.api.openstack.compute.views.undo import History, View, drop, step
from nova_lite.api.openstack.microversions import Microversion
from nova_lite.objects import BlockDevice, Instance


def _older_ids(view: View, maker: Any) -> None:
    del view["attachment_id"], view["bdm_uuid"]
    view["id"] = view["volumeId"]


_SHARED = (step("2.79", drop("delete_on_termination")), step("2.70", drop("tag")))
SHOW = History(step("2.89", _older_ids), *_SHARED)
CREATED = History(*_SHARED)


def shown(instance: Instance, device: BlockDevice, version: Microversion) -> View:
    view = {
        **_facts(instance, device),
        "attachment_id": device.attachment_id,
        "bdm_uuid": device.bdm_uuid,
    }
    return SHOW.walk_back(view, version)


def created(instance: Instance, device: BlockDevice, version: Microversion) -> View:
    """The answer of attaching, which knows nothing of the newer ids."""
    return CREATED.walk_back({**_facts(instance, device), "id": device.volume_id}, version)


def _facts(instance: Instance, device: BlockDevice) -> View:
    view: View = {
        "serverId": instance.uuid,
        "volumeId": device.volume_id,
        "tag": device.tag,
        "delete_on_termination": device.delete_on_termination,
    }
    if device.device_name:
        view["device"] = device.device_name
    return view
