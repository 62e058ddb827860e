"""A server's volume attachments: list, show, attach, detach, change, swap."""

from __future__ import annotations

from typing import Any

from oslo_utils import strutils

from nova_lite import exception
from nova_lite.api.openstack import pagination
from nova_lite.api.openstack.compute.schemas import volume_attachments as schemas
from nova_lite.api.openstack.compute.views import volume_attachments as views
from nova_lite.api.openstack.microversions import (
    ATTACHMENT_CHANGES,
    EMPTY_ATTACH_ANSWER,
    MULTIATTACH,
    SHELVED_VOLUMES,
)
from nova_lite.api.openstack.request import Request, Response
from nova_lite.api.openstack.validation import validated
from nova_lite.compute import actions
from nova_lite.compute.api import API
from nova_lite.compute.vm_states import VmState
from nova_lite.conf import CONF
from nova_lite.objects import BlockDevice, Instance

_SWAP = "os_compute_api:os-volumes-attachments:swap"
_UPDATE = "os_compute_api:os-volumes-attachments:update"
_FIXED = ("id", "serverId", "device", "tag")


class VolumeAttachmentsController:
    def __init__(self, compute: API) -> None:
        self._compute = compute

    @validated(query=schemas.LIST_QUERY)
    def index(self, req: Request, server: Instance) -> dict[str, Any]:
        # Unlike with servers, a limit of 0 is none.
        limit = pagination.limit_of(req) or int(CONF.api.max_limit)
        start = int(req.first("offset") or 0)
        devices = [device for device in server.block_devices if device.volume_id][start : start + limit]
        return {"volumeAttachments": [views.shown(server, device, req.version) for device in devices]}

    def show(self, req: Request, server: Instance, id: str) -> dict[str, Any]:
        return {"volumeAttachment": views.shown(server, _device(server, id), req.version)}

    @validated(body=schemas.CREATE)
    def create(self, req: Request, server: Instance) -> Response:
        _check_shelved(req, server, actions.ATTACH_VOLUME)
        asked = req.body["volumeAttachment"]
        device = self._compute.volumes.attach(
            req.ctxt,
            server,
            asked["volumeId"],
            device_name=asked.get("device"),
            tag=asked.get("tag"),
            delete_on_termination=_flag(asked.get("delete_on_termination", False)),
            multiattach=req.wants(MULTIATTACH),
        )
        if req.wants(EMPTY_ATTACH_ANSWER):
            return Response()
        return Response({"volumeAttachment": views.created(server, device, req.version)})

    def delete(self, req: Request, server: Instance, id: str) -> None:
        _check_shelved(req, server, actions.DETACH_VOLUME)
        self._compute.volumes.detach(req.ctxt, server, id)

    @validated(body=schemas.UPDATE)
    def update(self, req: Request, server: Instance, id: str) -> None:
        """Before 2.85 it always swaps; since then only for another volume."""
        asked = req.body["volumeAttachment"]
        swaps = not req.wants(ATTACHMENT_CHANGES) or asked["volumeId"] != id
        target = {"project_id": server.project_id, "user_id": server.user_id}
        req.authorize(_SWAP if swaps else _UPDATE, target)
        if req.wants(ATTACHMENT_CHANGES) and (not swaps or len(asked) > 1):
            fixed = {name: asked[name] for name in _FIXED if name in asked}
            changes = {}
            if "delete_on_termination" in asked:
                changes["delete_on_termination"] = _flag(asked["delete_on_termination"])
            self._compute.volumes.update(server, id, changes, fixed)
        if swaps:
            self._compute.volumes.swap(req.ctxt, server, id, asked["volumeId"])


def _device(server: Instance, volume_id: str) -> BlockDevice:
    for device in server.block_devices:
        if device.volume_id == volume_id:
            return device
    raise exception.VolumeNotAttached(instance_uuid=server.uuid, volume_id=volume_id)


def _flag(value: Any) -> bool:
    return bool(strutils.bool_from_string(value, strict=True))


def _check_shelved(req: Request, server: Instance, row: actions.Action) -> None:
    """
    :raises InstanceInvalidState: the server is shelved, and the version knows nothing of that
    """
    if server.vm_state in (VmState.SHELVED, VmState.SHELVED_OFFLOADED) and not req.wants(SHELVED_VOLUMES):
        raise exception.InstanceInvalidState(
            verb=row.verb, instance_uuid=server.uuid, attribute="vm_state", state=server.vm_state
        )
